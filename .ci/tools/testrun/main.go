// Command testrun runs `go test -json` with the given arguments and says what happens: the line of go test for each package,
// the output of what failed, at least every 10 s the tests that run, and at the end the slowest tests and the failures in the
// words of gotestsum. It ends as go test ends.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"gotest.tools/gotestsum/testjson"
)

const (
	pause   = 10 * time.Second // the longest silence
	tick    = time.Second      // how often it is looked at
	slowest = 15               // tests in the summary
)

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "testrun:", err)
		os.Exit(2)
	}
	os.Exit(status)
}

func run(arguments []string) (status int, err error) {
	// go test gets the signal, too, and ends by itself.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, arguments...)...) //nolint:gosec // the arguments are those of make
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	stdout, err := command.StdoutPipe()
	if err != nil {
		return 0, err
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		return 0, err
	}
	if err := command.Start(); err != nil {
		return 0, err
	}
	if err := report(stdout, stderr, os.Stdout); err != nil {
		return 0, errors.Join(err, command.Process.Kill(), command.Wait())
	}
	err = command.Wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// report writes to out what the events on stdout and the lines on stderr tell.
func report(stdout, stderr io.Reader, out io.Writer) error {
	p := newProgress(out)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.tick()
			case <-ended:
				return
			}
		}
	}()
	execution, err := testjson.ScanTestOutput(testjson.ScanConfig{
		Stdout: stdout, Stderr: stderr, Handler: p, IgnoreNonJSONOutputLines: true,
	})
	if err != nil {
		return err
	}
	p.summarize(execution)
	return nil
}

// test names a package, or a test in it.
type test struct{ pkg, name string }

// progress hears the events of a run. Its methods may be called at once.
type progress struct {
	mutex   sync.Mutex
	out     io.Writer
	format  testjson.EventFormatter
	start   time.Time
	spoke   time.Time // when something was written last
	running map[test]time.Time
}

func newProgress(out io.Writer) *progress {
	p := &progress{start: time.Now(), spoke: time.Now(), running: map[test]time.Time{}}
	p.out = speaker{p, out}
	p.format = testjson.NewEventFormatter(p.out, "pkgname-and-test-fails", testjson.FormatOptions{Icons: "text", HideEmptyPackages: true})
	return p
}

// speaker remembers when it was written to.
type speaker struct {
	progress *progress
	out      io.Writer
}

func (s speaker) Write(text []byte) (int, error) {
	s.progress.spoke = time.Now()
	return s.out.Write(text)
}

// Event keeps what runs and writes what is worth a line.
func (p *progress) Event(event testjson.TestEvent, execution *testjson.Execution) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	key := test{event.Package, event.Test}
	switch {
	case event.Action == "start", event.Action == testjson.ActionRun, event.Action == testjson.ActionCont:
		p.running[key] = time.Now()
	case event.Action == testjson.ActionPause, event.Action.IsTerminal():
		delete(p.running, key)
	}
	return p.format.Format(event, execution)
}

// Err writes what go test says beside its events.
func (p *progress) Err(text string) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	_, err := fmt.Fprintln(p.out, text)
	return err
}

// tick says what runs if nothing has been said for a while.
func (p *progress) tick() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if time.Since(p.spoke) < pause-tick {
		return
	}
	_, _ = fmt.Fprintf(p.out, "after %s: %s\n", p.since(p.start), p.runs())
}

// runs names the packages that run, each with its time and the test that has run longest in it.
func (p *progress) runs() string {
	longest := map[string]test{}
	packages := []test{}
	for key, began := range p.running {
		if key.name == "" {
			packages = append(packages, key)
		} else if other, known := longest[key.pkg]; !known || began.Before(p.running[other]) ||
			began.Equal(p.running[other]) && len(key.name) > len(other.name) { // rather a part than the whole
			longest[key.pkg] = key
		}
	}
	slices.SortFunc(packages, func(a, b test) int { return cmp.Compare(a.pkg, b.pkg) })
	var texts []string
	for _, key := range packages {
		text := fmt.Sprintf("%s (%s)", key.pkg, p.since(p.running[key]))
		if inner, known := longest[key.pkg]; known {
			text += fmt.Sprintf(" %s (%s)", inner.name, p.since(p.running[inner]))
		}
		texts = append(texts, text)
	}
	if texts == nil {
		return "building"
	}
	return "running " + strings.Join(texts, ", ")
}

func (p *progress) since(then time.Time) time.Duration { return time.Since(then).Round(time.Second) }

// summarize writes the slowest tests, then what failed, with its output, and the count.
func (p *progress) summarize(execution *testjson.Execution) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var tests []testjson.TestCase
	for _, pkg := range execution.Packages() {
		for _, one := range execution.Package(pkg).TestCases() {
			if !one.Test.IsSubTest() && one.Elapsed > 0 {
				tests = append(tests, one)
			}
		}
	}
	slices.SortStableFunc(tests, func(a, b testjson.TestCase) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	if len(tests) > 0 {
		_, _ = fmt.Fprintln(p.out, "\n=== Slowest")
	}
	for _, one := range tests[:min(slowest, len(tests))] {
		_, _ = fmt.Fprintf(p.out, "%8.2fs %s %s\n", one.Elapsed.Seconds(), one.Package, one.Test)
	}
	testjson.PrintSummary(p.out, execution, testjson.SummarizeAll)
}
