package proc

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPollThatTookTooLongTellsWhatWasWrongAndNotOnlyThatItsTimeWasOver(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	wrong := errors.New("the door is shut")
	checks := 0
	err := Poll(ctx, func() error {
		if checks++; checks == 1 {
			return wrong
		}
		cancel()
		return ctx.Err()
	})
	require.ErrorIs(t, err, wrong)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAProcessHangsThatWasFoundAndGivesNoAnswerForTenSeconds(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	started := sleeper(t, record)
	found, err := Find(record)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		late := func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			<-ctx.Done()
			return fmt.Errorf("no answer: %w", ctx.Err())
		}
		began := time.Now()
		require.True(t, found.Hangs(t.Context(), late))
		require.Equal(t, hangTime, time.Since(began))
		require.False(t, started.Hangs(t.Context(), late), "it has only begun")
		require.False(t, (*Process)(nil).Hangs(t.Context(), late))

		for _, answer := range []error{nil, syscall.ECONNREFUSED, errors.New("not ready")} {
			asked := 0
			require.False(t, found.Hangs(t.Context(), func(ctx context.Context) error {
				if asked++; asked < 3 {
					return late(ctx)
				}
				return answer
			}))
			require.Equal(t, 3, asked)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		require.False(t, found.Hangs(ended, late), "nobody waits any more")
	})
}
