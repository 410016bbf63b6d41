package devenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// startTimeout is how long a server may take until it answers. A crashed database recovers within it.
const startTimeout = 90 * time.Second

// poll calls check until it succeeds or ctx ends; the error then holds the last reason.
func poll(ctx context.Context, check func() error) error {
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

// machine is a server's body: a process or a container.
type machine interface {
	alive() (bool, error)
	tail(lines int) []byte // the end of its log
}

// awaitServer polls check while the server lives. If it ends first, the error shows the end of its log.
func awaitServer(ctx context.Context, name string, body machine, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ended := errors.New("it ended at once")
	var died bool
	err := poll(ctx, func() error {
		alive, err := body.alive()
		if err != nil {
			return err
		}
		if died = !alive; died {
			return nil
		}
		return check(ctx)
	})
	if died {
		err = ended
	}
	if err != nil {
		return fmt.Errorf("%s did not start: %w\n%s", name, err, body.tail(15))
	}
	return nil
}

func lastLines(text []byte, count int) []byte {
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-count):], []byte("\n"))
}
