package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// startTimeout is how long a server may take until it answers. A crashed database recovers within it.
const startTimeout = 90 * time.Second

// Poll calls check until it succeeds or ctx ends; the error then holds the last reason.
func Poll(ctx context.Context, check func() error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// Body is what a server runs in: a process or a container.
type Body interface {
	// Lives tells whether it runs.
	Lives() (bool, error)
	// Tail returns the last lines of its log.
	Tail(lines int) []byte
}

// Await polls check while the server lives. If it ends first, the error shows the end of its log.
func Await(ctx context.Context, name string, body Body, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ended := errors.New("it ended at once")
	var died bool
	err := Poll(ctx, func() error {
		lives, err := body.Lives()
		if err != nil {
			return err
		}
		if died = !lives; died {
			return nil
		}
		return check(ctx)
	})
	if died {
		err = ended
	}
	if err != nil {
		return fmt.Errorf("%s did not start: %w\n%s", name, err, body.Tail(15))
	}
	return nil
}

// LastLines returns the end of a text.
func LastLines(text []byte, count int) []byte {
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-count):], []byte("\n"))
}
