package revocation

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
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

func connect(t *testing.T, url, user string) *nats.Conn {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: url, User: user}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// start runs something until the test ends.
func start(t *testing.T, run func(ctx context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
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
