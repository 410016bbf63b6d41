package proc

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProcessIsReplacedOnlyByOneThatIsReady(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	old := sleeper(t, record)
	command := old.command
	command.Fingerprint = "the next release"

	notReady := errors.New("not ready")
	var failed *Process
	_, _, err := Replace(t.Context(), command, func(next *Process) error {
		failed = next
		require.True(t, old.Alive(), "the old one goes on meanwhile")
		return notReady
	})
	require.ErrorIs(t, err, notReady)
	require.ErrorContains(t, err, "The sleeper that ran before goes on")
	require.False(t, failed.Alive())
	found, err := Find(record)
	require.NoError(t, err)
	require.Equal(t, old.PID(), found.PID())

	next, replaced, err := Replace(t.Context(), command, func(next *Process) error {
		require.True(t, next.Alive())
		require.True(t, old.Alive())
		return nil
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, next.Kill()) })
	require.True(t, replaced)
	<-old.exited
	found, err = Find(record)
	require.NoError(t, err)
	require.Equal(t, next.PID(), found.PID())
	require.Equal(t, "UTC", found.Setting("TZ"))

	same, replaced, err := Replace(t.Context(), command, func(*Process) error { return nil })
	require.NoError(t, err)
	require.False(t, replaced)
	require.Equal(t, next.PID(), same.PID())
}
