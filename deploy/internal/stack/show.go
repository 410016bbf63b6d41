package stack

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Part is a line of `make ps`: what is known of one part of the system.
type Part struct {
	Name  string
	ID    string // of its process or container, "" if there is none
	Ports []int
	State string
	// Well is false if the part does not run or is not ready.
	Well bool
}

// Restarts says for a Part's State when its process was started, if that is known, and after how many restarts.
func Restarts(started time.Time, restarts int) string {
	text := fmt.Sprintf("after %d restarts", restarts)
	if !started.IsZero() {
		text = "started " + started.Local().Format(time.DateTime) + " " + text
	}
	return " (" + text + ")"
}

// ShowParts prints a table of parts, where idTitle says what identifies them. It fails if a part is not well.
func ShowParts(out io.Writer, idTitle string, parts []Part) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "NAME\t%s\tPORTS\tSTATE\n", idTitle)
	well := true
	for _, part := range parts {
		well = well && part.Well
		id := part.ID
		if id == "" {
			id = "-"
		}
		// A reason may have several lines, which would break the table.
		state := strings.Join(strings.FieldsFunc(part.State, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", part.Name, id, strings.Trim(fmt.Sprint(part.Ports), "[]"), state)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !well {
		return errors.New("a part does not run or is not ready; see `make logs`")
	}
	return nil
}
