package revocation

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/devenv"
	"oms.internal/libs/natsx"
)

const patience = 20 * time.Second

// service plays accounts: it pages through the revoked sessions that it holds.
type service struct {
	mu       sync.Mutex
	sessions []uint64
	requests []uint64 // the sessions after which pages were asked for
	conn     *nats.Conn
}

func (s *service) revoke(ids ...uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = append(s.sessions, ids...)
}

func (s *service) asked() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *service) page(_ context.Context, request accounts.RevocationsRequest) (accounts.Revocations, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request.AfterSession)
	var reply accounts.Revocations
	for _, id := range s.sessions {
		if id > request.AfterSession && len(reply.Revocations) < accounts.MaxRevocations {
			reply.Revocations = append(reply.Revocations, revocationOf(id))
		}
	}
	return reply, nil
}

func revocationOf(session uint64) accounts.Revocation {
	return accounts.Revocation{SessionID: session, Until: time.Now().Add(time.Hour)}
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

func startService(t *testing.T, url string, sessions ...uint64) *service {
	t.Helper()
	played := &service{sessions: sessions, conn: connect(t, url, "accounts")}
	start(t, func(ctx context.Context) error {
		return natsx.Serve(ctx, played.conn, accounts.Service, slog.New(slog.DiscardHandler),
			natsx.NewEndpoint("revocations", accounts.SubjectRevocations, played.page))
	})
	return played
}

func startFollower(t *testing.T, url string) *Follower {
	t.Helper()
	follower := NewFollower(NewMemory(time.Now), connect(t, url, "gateway"), slog.New(slog.DiscardHandler))
	start(t, follower.Run)
	return follower
}

func TestWhatWasNeverPublishedIsLearnedAfterAWhile(t *testing.T) {
	t.Parallel()
	server := devenv.NewNATS(t, "")
	played := startService(t, server.URL())
	follower := NewFollower(NewMemory(time.Now), connect(t, server.URL(), "gateway"), slog.New(slog.DiscardHandler))
	follower.interval = 50 * time.Millisecond
	start(t, follower.Run)
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")
	played.revoke(2)
	eventually(t, func() bool { return follower.Revoked(1, 2) }, "learned")
}

func eventually(t *testing.T, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, patience, 10*time.Millisecond, message)
}

func TestFollowerIsReadyOnceItHasEveryPage(t *testing.T) {
	t.Parallel()
	server := devenv.NewNATS(t, "")
	follower := startFollower(t, server.URL())
	require.Error(t, follower.Ready())

	var sessions []uint64
	for id := uint64(1); id <= accounts.MaxRevocations+1; id++ {
		sessions = append(sessions, id)
	}
	played := startService(t, server.URL(), sessions...)
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")
	require.Equal(t, accounts.MaxRevocations+1, follower.Len())
	require.Equal(t, []uint64{0, accounts.MaxRevocations}, played.asked())
}

func TestPublishedRevocationIsHeard(t *testing.T) {
	t.Parallel()
	server := devenv.NewNATS(t, "")
	played := startService(t, server.URL())
	follower := startFollower(t, server.URL())
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")

	message, err := json.Marshal(accounts.Revocations{Revocations: []accounts.Revocation{revocationOf(5)}})
	require.NoError(t, err)
	require.NoError(t, played.conn.Publish(accounts.SubjectRevoked, []byte("not JSON")))
	require.NoError(t, played.conn.Publish(accounts.SubjectRevoked, message))
	eventually(t, func() bool { return follower.Revoked(1, 5) }, "revoked")
}

func TestWhatWasMissedWhileNATSWasAwayIsLearnedAfterwards(t *testing.T) {
	t.Parallel()
	server := devenv.NewNATS(t, "")
	played := startService(t, server.URL(), 1)
	follower := startFollower(t, server.URL())
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")

	require.NoError(t, server.Stop(t.Context()))
	eventually(t, func() bool { return !follower.conn.IsConnected() }, "disconnected")
	require.NoError(t, follower.Ready(), "the gateway goes on without NATS")
	require.True(t, follower.Revoked(1, 1))
	played.revoke(2)

	require.NoError(t, server.Restart(t.Context()))
	eventually(t, func() bool { return follower.Revoked(1, 2) }, "learned")
}
