package service

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/lifecycle"
)

// mending runs rounds on a clock that stands still between them. It notes the pauses, and ends with the last round.
func mending(t *testing.T, rounds ...func(clock *time.Time, rest func() error) error) (pauses []time.Duration) {
	t.Helper()
	clock, made := time.Time{}, 0
	tested := mender{
		log: slog.New(slog.DiscardHandler),
		now: func() time.Time { return clock },
		round: func(_ context.Context, rest func() error) (int, error) {
			made++
			return 1, rounds[made-1](&clock, rest)
		},
		pause: func(_ context.Context, duration time.Duration) error {
			if pauses = append(pauses, duration); made == len(rounds) {
				return context.Canceled
			}
			return nil
		},
	}
	require.ErrorIs(t, tested.run(t.Context()), context.Canceled)
	return pauses
}

func TestRoundsOfMendingComeEverLaterAndSoonAfterAFailure(t *testing.T) {
	t.Parallel()
	whole := func(*time.Time, func() error) error { return nil }
	failed := func(*time.Time, func() error) error { return errors.New("no primary") }
	require.Equal(t, []time.Duration{
		time.Minute, 2 * time.Minute, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute,
		time.Hour, time.Hour,
	}, mending(t, whole, whole, failed, whole, whole, whole, whole, whole, whole, whole))
}

func TestMendingRestsLongerTheSlowerTheDatabaseIs(t *testing.T) {
	t.Parallel()
	var rested []error
	round := func(clock *time.Time, rest func() error) error {
		for _, took := range []time.Duration{time.Millisecond, 2 * time.Second, 0} {
			*clock = clock.Add(took)
			rested = append(rested, rest())
		}
		return nil
	}
	require.Equal(t, []time.Duration{shortestRest, 6 * time.Second, shortestRest}, mending(t, round)[:3])
	require.ErrorIs(t, errors.Join(rested...), context.Canceled, "the end of the process reaches the round")
}

func TestTheStartDoesNotWaitForMendingAndTheEndInterruptsIt(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	base := Base{Log: log}
	ctx, cancel := context.WithCancel(t.Context())
	mending := base.Mend(func(ctx context.Context, _ func() error) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	life := lifecycle.New(log, time.Minute)
	life.Add(mending, lifecycle.Part{Name: "serving", Run: func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return nil
	}})
	require.NoError(t, life.Run(ctx))
}
