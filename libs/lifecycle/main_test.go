package lifecycle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/lifecycle"
	"oms.internal/libs/requestid"
)

// Signals reach the whole process, so the tests of Main run alone.
func TestMainTurnsSignalsIntoTheEndOfTheContext(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		require.Zero(t, lifecycle.Main(func(ctx context.Context) error {
			if err := syscall.Kill(os.Getpid(), signal); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}))
	}
}

func TestMainReportsAFailureAsExitCodeOne(t *testing.T) {
	require.Equal(t, 1, lifecycle.Main(func(context.Context) error { return errBroken }))
}

func TestEveryLogLineOfARequestBearsItsIdentifierAndTheService(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := lifecycle.NewLogger(&out, "orders", slog.LevelInfo)
	ctx := requestid.Into(t.Context(), "r-1")
	log.InfoContext(ctx, "plain")
	log.With("order", 7).InfoContext(ctx, "with attributes")
	log.Info("outside a request", "waited", 1500*time.Millisecond)
	log.DebugContext(ctx, "below the level")

	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	require.Len(t, lines, 3)
	for i, line := range lines {
		var entry map[string]any
		require.NoError(t, json.Unmarshal(line, &entry))
		require.Equal(t, "orders", entry["service"])
		if i < 2 {
			require.Equal(t, "r-1", entry["request_id"], "%s", line)
		} else {
			require.NotContains(t, entry, "request_id")
			require.Equal(t, "1.5s", entry["waited"], "a number would not say its unit")
		}
	}
}
