package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASweepThatFindsNothingWritesNothing(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	written := func() bool {
		select {
		case <-f.Cluster.Written():
			return true
		default:
			return false
		}
	}
	f.create(t, dream)
	require.True(t, written())
	for name, sweep := range map[string]func(context.Context, time.Time, int) (int, error){
		"sessions": f.DeleteExpiredSessions, "refresh tokens": f.DeleteExpiredRefreshTokens,
		"tokens of drf-oms": f.DeleteExpiredKnoxTokens, "revocations": f.DeleteExpiredRevocations,
		"login failures": f.DeleteLoginFailures, "known devices": f.DeleteKnownDevices, "audit events": f.DeleteOldAuditEvents,
	} {
		removed, err := sweep(t.Context(), time.Unix(1, 0), 10)
		require.NoError(t, err, name)
		require.Zero(t, removed, name)
		require.False(t, written(), "%s: it has written", name)
	}
}
