package load

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Request is a GET with a token, "" for none.
type Request struct{ Path, Token string }

// Measured is what a generator saw.
type Measured struct {
	Rate     float64       // answers a second
	P50, P99 time.Duration // of the time until an answer
}

//go:embed wrk.lua.tmpl
var scriptText string

var script = template.Must(template.New("wrk.lua").Parse(scriptText))

// WRK asks a server for the requests in turn, as fast as it answers. An answer with another status than 200 is an error. One with a header of
// the name partial, "" for none, does not count.
func WRK(ctx context.Context, base string, connections int, lasting time.Duration, requests []Request, partial string) (Measured, error) {
	folder, err := os.MkdirTemp("", "wrk")
	if err != nil {
		return Measured{}, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a file of the temporary folder
	var text strings.Builder
	if err := script.Execute(&text, map[string]any{"Requests": requests, "Partial": partial}); err != nil {
		return Measured{}, err
	}
	path := filepath.Join(folder, "requests.lua")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return Measured{}, err
	}
	// One thread: it can do more than any server on the same two cores.
	// #nosec G204 -- our own arguments
	command := exec.CommandContext(ctx, "wrk", "-t1", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(seconds(lasting))+"s", "--timeout", "10s",
		"-s", path, base)
	output, err := command.CombinedOutput()
	if err != nil {
		return Measured{}, fmt.Errorf("wrk: %w\n%s", err, output)
	}
	return parseWRK(string(output))
}

// seconds rounds up, because wrk takes whole seconds.
func seconds(lasting time.Duration) int { return int((lasting + time.Second - 1) / time.Second) }

// told is the line that the script prints. Times are in microseconds.
type told struct {
	Requests, Partial, Microseconds       int64
	Connect, Read, Write, Status, Timeout int64
	P50, P99                              float64
}

const mark = "measured "

func parseWRK(output string) (Measured, error) {
	_, line, found := strings.Cut(output, "\n"+mark)
	if !found {
		return Measured{}, fmt.Errorf("wrk: no figures in its output:\n%s", output)
	}
	line, _, _ = strings.Cut(line, "\n")
	var got told
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		return Measured{}, fmt.Errorf("wrk: %q: %w", line, err)
	}
	failed := got.Connect + got.Read + got.Write + got.Status + got.Timeout
	switch {
	case failed > 0:
		return Measured{}, fmt.Errorf("wrk: %d of %d requests failed: %s", failed, got.Requests, line)
	case got.Requests <= got.Partial || got.Microseconds <= 0:
		return Measured{}, errors.New("wrk: no whole answer")
	}
	return Measured{
		Rate: float64(got.Requests-got.Partial) / (time.Duration(got.Microseconds) * time.Microsecond).Seconds(),
		P50:  time.Duration(got.P50) * time.Microsecond, P99: time.Duration(got.P99) * time.Microsecond,
	}, nil
}
