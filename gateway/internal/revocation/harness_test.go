package revocation

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
)

const patience = time.Minute

func revocationOf(session uint64) accounts.Revocation {
	return accounts.Revocation{SessionID: session, Until: time.Now().Add(time.Hour)}
}

func manyRevocations(count int) []accounts.Revocation {
	all := make([]accounts.Revocation, count)
	for i := range all {
		all[i] = revocationOf(uint64(i) + 1)
	}
	return all
}

func newFollower(conn *nats.Conn, now func() time.Time, ask Ask) *Follower {
	return NewFollower(Options{
		Memory: NewMemory(now), Conn: conn, Ask: ask, MaxStaleness: 30 * time.Second,
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
}

// publish publishes what it can: while there is no connection, nothing.
func publish(conn *nats.Conn, message accounts.Revocations) {
	encoded, _ := json.Marshal(message)
	_ = conn.Publish(accounts.SubjectRevoked, encoded)
}

func eventually(t *testing.T, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, patience, 5*time.Millisecond, message)
}
