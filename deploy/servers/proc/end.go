package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// stopTimeout is how long a process may take to end: a service drains for up to 10 s, and a database writes what it holds in memory.
const stopTimeout = time.Minute

// Stop asks the process to end and waits until it has. If ctx ends first, or the process takes longer than a minute, the process is
// killed and the error says so.
func (p *Process) Stop(ctx context.Context) error {
	if p == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := p.end(syscall.SIGTERM); err != nil {
		return err
	}
	// A paused process would not see the request.
	if err := p.Continue(); err != nil {
		return err
	}
	if err := p.wait(ctx); err != nil {
		return errors.Join(fmt.Errorf("%s did not end when it was asked to, and was killed: %w", p.command.Name, err), p.Kill())
	}
	return nil
}

// Kill ends the process at once, as a crash would, and waits until it is gone.
func (p *Process) Kill() error {
	if p == nil {
		return nil
	}
	if err := p.end(syscall.SIGKILL); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), signalTimeout)
	defer cancel()
	if err := p.wait(ctx); err != nil {
		return fmt.Errorf("%s still runs after SIGKILL: %w", p.command.Name, err)
	}
	return nil
}

// end sends a signal that ends the process. The record says so first, because a record that does not, without a process, means that the
// process ended by itself. The record goes when the process is gone.
func (p *Process) end(signal os.Signal) error { return errors.Join(p.noteEnding(), p.signal(signal)) }

// EndOthers ends the processes that were started for a record, but for one.
func EndOthers(ctx context.Context, record string, one *Process) error {
	others, err := Others(record, one)
	for _, other := range others {
		err = errors.Join(err, other.Stop(ctx))
	}
	return err
}

// wait waits for the end of a process that was asked to end, and removes its record.
func (p *Process) wait(ctx context.Context) error {
	if err := p.waitEnd(ctx); err != nil {
		return err
	}
	return p.forget()
}

func (p *Process) waitEnd(ctx context.Context) error {
	if p.exited != nil {
		select {
		case <-p.exited:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return Poll(ctx, func() error {
		if p.Alive() {
			return errors.New("it still runs")
		}
		return nil
	})
}
