package drf

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func telling(terminal bool) (told *strings.Builder, progress *progress, pass func(time.Duration)) {
	told = &strings.Builder{}
	clock := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	progress = newProgress(told, func() time.Time { return clock })
	progress.terminal = terminal
	return told, progress, func(time time.Duration) { clock = clock.Add(time) }
}

func TestElsewhereThanOnATerminalALineComesEveryTenSeconds(t *testing.T) {
	t.Parallel()
	told, progress, pass := telling(false)
	progress.begin("write member", 200_000)
	for range 25 {
		pass(time.Second)
		progress.add(1000)
	}
	progress.end()
	require.Equal(t, "write member: 10000 of 200000, 1000 a second, 3m10s left\nwrite member: 20000 of 200000, 1000 a second, 3m0s left\n", told.String())
}

func TestOnATerminalABarIsDrawnOverItselfAndGoesWhenTheWorkEnds(t *testing.T) {
	t.Parallel()
	told, progress, pass := telling(true)
	progress.begin("read order", 4000)
	for range 10 {
		pass(time.Second / 10)
		progress.add(100)
	}
	require.Equal(t, 5, strings.Count(told.String(), "\r\x1b[K["), "five times a second at most")
	require.True(t, strings.HasSuffix(told.String(), "[#######.......................] read order: 1000 of 4000, 1000 a second, 3s left"), told)
	progress.end()
	require.True(t, strings.HasSuffix(told.String(), "\r\x1b[K"))
	require.NotContains(t, told.String(), "\n")
}

func TestRowsComeOneByOneAndTheClockIsAskedNowAndThen(t *testing.T) {
	t.Parallel()
	told, progress, pass := telling(false)
	asked, now := 0, progress.now
	progress.now = func() time.Time { asked++; return now() }
	progress.begin("read order", 0)
	for range 1000 {
		progress.add(1)
	}
	require.LessOrEqual(t, asked, 11)
	pass(11 * time.Second)
	progress.add(100)
	require.Equal(t, "read order: 1100 of 0, 100 a second, 0s left\n", told.String())
}
