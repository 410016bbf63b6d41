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

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
)

const patience = 20 * time.Second

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

// serve plays accounts over NATS and returns its connection.
func serve(t *testing.T, url string, played *testkit.Revocations) *nats.Conn {
	t.Helper()
	conn := connect(t, url, "accounts")
	start(t, func(ctx context.Context) error {
		return natsx.Serve(ctx, conn, accounts.Service, slog.New(slog.DiscardHandler),
			natsx.NewEndpoint("revocations", accounts.SubjectRevocations, played.Page))
	})
	return conn
}

func newFollower(conn *nats.Conn, now func() time.Time, sources ...Source) *Follower {
	return NewFollower(Options{
		Memory: NewMemory(now), Conn: conn, Sources: sources, MaxStaleness: 30 * time.Second,
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
}

func publish(t *testing.T, conn *nats.Conn, message accounts.Revocations) {
	t.Helper()
	encoded, err := json.Marshal(message)
	require.NoError(t, err)
	require.NoError(t, conn.Publish(accounts.SubjectRevoked, encoded))
}

func eventually(t *testing.T, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, patience, 5*time.Millisecond, message)
}
