// Package load puts load on something and says what came of it: as fast as it goes from some connections (Loop, and WRK for answers that
// take less time than a client in Go), or at a constant rate that does not wait for the answers (Constant).
package load

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Timed is Loop that also says how long it took each time.
func Timed(ctx context.Context, workers int, lasting time.Duration, do func(ctx context.Context, worker, turn int) error) (Measured, error) {
	var mutex sync.Mutex
	var took []time.Duration
	rate, err := Loop(ctx, workers, lasting, func(ctx context.Context, worker, turn int) error {
		began := time.Now()
		err := do(ctx, worker, turn)
		mutex.Lock()
		defer mutex.Unlock()
		took = append(took, time.Since(began))
		return err
	})
	if err != nil {
		return Measured{}, err
	}
	slices.Sort(took)
	return Measured{Rate: rate, P50: percentile(took, 50), P99: percentile(took, 99)}, nil
}

// ErrPartial says that an answer goes without a part of what was asked for, as it may when the system is busy.
var ErrPartial = errors.New("the answer goes without")

// Loop has workers do something again and again for a time. It returns how often a second it was done; what had begun is
// finished, and counts. Partial answers do not count. The first other error ends it.
func Loop(ctx context.Context, workers int, lasting time.Duration, do func(ctx context.Context, worker, turn int) error) (rate float64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var done atomic.Int64
	var working sync.WaitGroup
	began := time.Now()
	for worker := range workers {
		working.Go(func() {
			for turn := 0; ctx.Err() == nil && time.Since(began) < lasting; turn++ {
				err := do(ctx, worker, turn)
				switch {
				case err == nil:
					done.Add(1)
				case !errors.Is(err, ErrPartial):
					cancel(err)
					return
				}
			}
		})
	}
	working.Wait()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if done.Load() == 0 {
		return 0, errors.New("nothing was done")
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}
