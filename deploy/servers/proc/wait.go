package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	// PollInterval is how often Poll looks. It is for states that no event announces, such as the first answer of a server.
	PollInterval = 20 * time.Millisecond
	// startTimeout is how long a server may take until it answers. It covers the recovery of a crashed database on a busy machine; a
	// server that fails ends, and is not waited for.
	startTimeout = 5 * time.Minute
)

// Poll calls check until it succeeds or ctx ends. The error then holds the last error of check that is not the end of ctx.
func Poll(ctx context.Context, check func() error) error {
	ticker := time.NewTicker(PollInterval)
	defer ticker.Stop()
	var last error
	for {
		err := check()
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), last)
		case <-ticker.C:
		}
	}
}

// Instance is what a server runs in: a process or a container.
type Instance interface {
	// Running reports whether the instance runs.
	Running() (bool, error)
	// Tail returns the last lines of its log.
	Tail(lines int) []byte
}

// ErrFinal is in an error of a check that waiting does not mend.
var ErrFinal = errors.New("waiting does not help")

// Await polls check while the server runs. If the server ends first, or takes too long, the error holds the end of its log. An error of
// check that is ErrFinal ends the wait.
func Await(ctx context.Context, name string, instance Instance, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var died bool
	var final error
	err := Poll(ctx, func() error {
		running, err := instance.Running()
		if err != nil {
			return err
		}
		if died = !running; died {
			return nil
		}
		if err = check(ctx); errors.Is(err, ErrFinal) {
			final = err
			return nil
		}
		return err
	})
	if final != nil {
		return fmt.Errorf("%s did not start: %w", name, final)
	}
	if died {
		err = errors.New("it ended")
	}
	if err != nil {
		return fmt.Errorf("%s did not start: %w\n%s", name, err, instance.Tail(15))
	}
	return nil
}

// LastLines returns the last count lines of a text.
func LastLines(text []byte, count int) []byte {
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-count):], []byte("\n"))
}

// hangTime is for how long something must give no answer before it counts as one that hangs. On a busy machine an answer may take seconds.
const hangTime = 10 * time.Second

// Hangs reports whether a process that was found does not answer (see Silent). A process that was started from here has only begun.
func (p *Process) Hangs(ctx context.Context, ask func(context.Context) error) bool {
	return p != nil && p.exited == nil && Silent(ctx, ask) && p.Alive()
}

// Silent reports whether something gives no answer for hangTime. ask asks it once, and fails with a timeout if no answer comes. Any other
// error is an answer: what was asked may be starting, or say what is wrong.
func Silent(ctx context.Context, ask func(context.Context) error) bool {
	limit, cancel := context.WithTimeout(ctx, hangTime)
	defer cancel()
	for limit.Err() == nil {
		// The error of a context's deadline is one of these, too.
		if late, is := errors.AsType[net.Error](ask(limit)); !is || !late.Timeout() {
			return false
		}
	}
	return ctx.Err() == nil
}
