package mysqlx_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
)

// No cluster runs, so nothing but the test writes a beat.
func TestWhatIsAMinuteOlderThanAServersOwnBeatIsSettledThere(t *testing.T) {
	t.Parallel()
	s := shared(t)
	replica, err := s.pair.Replica.Open("root", s.pair.RootPassword, s.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, replica.Close()) }()
	at := time.Date(2020, 11, 30, 12, 0, 0, 123456000, time.UTC)
	_, err = s.root.ExecContext(t.Context(), "UPDATE heartbeat SET beat = ?", at.UnixMicro())
	require.NoError(t, err)
	require.NoError(t, s.pair.Sync(t.Context()))
	alone := mysqlxtest.Database{Root: s.root}.OnPrimaryAlone(t)
	alone("UPDATE heartbeat SET beat = ?", at.Add(time.Hour).UnixMicro())

	onPrimary, err := mysqlx.Settled(t.Context(), s.root)
	require.NoError(t, err)
	require.Equal(t, at.Add(59*time.Minute), onPrimary)
	alone("UPDATE heartbeat SET beat = ?", time.Now().Add(time.Hour).UnixMicro())
	ahead, err := mysqlx.Settled(t.Context(), s.root)
	require.NoError(t, err)
	require.Less(t, ahead, time.Now().Add(-time.Minute), "a beat that is ahead of the clock")
	onReplica, err := mysqlx.Settled(t.Context(), replica)
	require.NoError(t, err)
	require.Equal(t, at.Add(-time.Minute), onReplica)
}
