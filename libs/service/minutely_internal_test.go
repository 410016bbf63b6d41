package service

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMinutelyWorkGoesOnWhateverFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		began, minutes := time.Now(), 0
		require.NoError(t, minutely(ctx, slog.New(slog.DiscardHandler), "work", func(context.Context) error {
			minutes++
			require.Equal(t, time.Duration(minutes)*time.Minute, time.Since(began))
			if minutes == 4 {
				stop()
			}
			return errors.New("the database is away")
		}))
		require.Equal(t, 4, minutes)
	})
}
