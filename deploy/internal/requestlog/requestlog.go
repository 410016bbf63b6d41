// Package requestlog finds the lines of one request in the logs of all services, and shows them in the order of time.
package requestlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	// most is how many lines of a service are shown, so that one that writes many hides no other. A client may send the same id with all of its requests.
	most = 1000
	// longestLine is far above what a service writes.
	longestLine = 1 << 20
)

// Lines collects the lines of a request.
type Lines struct {
	id     string
	found  []line
	number map[string]int // of lines found, by service
	more   bool
}

type line struct {
	at   time.Time
	text string
}

// Of returns an empty collection of the lines with a request id.
func Of(id string) *Lines { return &Lines{id: id, number: map[string]int{}} }

// Read collects from a log, which holds a JSON object in each line. Other lines are passed over.
func (l *Lines) Read(log io.Reader) error {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), []byte(l.id)) {
			continue
		}
		var is struct {
			Time      time.Time `json:"time"`
			Service   string    `json:"service"`
			RequestID string    `json:"request_id"`
		}
		if json.Unmarshal(lines.Bytes(), &is) != nil || is.RequestID != l.id {
			continue
		}
		if l.number[is.Service] == most {
			l.more = true
			continue
		}
		l.number[is.Service]++
		l.found = append(l.found, line{at: is.Time, text: lines.Text()})
	}
	return lines.Err()
}

// Show prints the lines. It fails if there are none.
func (l *Lines) Show(out io.Writer) error {
	if len(l.found) == 0 {
		return fmt.Errorf("no log holds the request %q; debug lines are written only with LOG_LEVEL=debug", l.id)
	}
	slices.SortStableFunc(l.found, func(a, b line) int { return a.at.Compare(b.at) })
	for _, one := range l.found {
		if _, err := fmt.Fprintln(out, one.text); err != nil {
			return err
		}
	}
	if l.more {
		return errors.New("there are more lines of this id, which are not shown")
	}
	return nil
}
