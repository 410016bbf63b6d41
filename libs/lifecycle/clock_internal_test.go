package lifecycle

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAClockThatIsSetIsToldOnceAndMeasured(t *testing.T) {
	t.Parallel()
	var written bytes.Buffer
	var ahead time.Duration
	watched := &clock{log: slog.New(slog.NewTextHandler(&written, nil)), ahead: func() time.Duration { return ahead }}
	for range 3 {
		ahead += leastStep - 1 // corrected gradually
		watched.look()
	}
	require.Empty(t, written.String())
	require.Zero(t, watched.total())
	ahead += time.Hour
	watched.look()
	watched.look()
	require.Equal(t, 1, strings.Count(written.String(), "by=1h0m0s"))
	require.InDelta(t, 3600, watched.total(), 0)
	ahead -= 2 * time.Hour
	watched.look()
	require.Contains(t, written.String(), "by=-2h0m0s")
	require.InDelta(t, -3600, watched.total(), 0)
}
