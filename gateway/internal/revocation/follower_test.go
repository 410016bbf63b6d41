package revocation

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

func TestFollowerIsReadyOnceItHasEveryPage(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	conn := connect(t, server.URL(), "gateway")
	follower := newFollower(conn, time.Now, OverNATS(conn))
	start(t, follower.Run)
	require.Error(t, follower.Ready())
	require.Error(t, follower.Current())

	played := &testkit.Revocations{}
	played.Add(manyRevocations(accounts.MaxRevocations + 1)...)
	serve(t, server.URL(), played)
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")
	require.NoError(t, follower.Current())
	require.Equal(t, accounts.MaxRevocations+1, follower.Len())
	require.Equal(t, []uint64{0, accounts.MaxRevocations}, played.Asked()[:2])
}

func TestPublishedRevocationIsHeardAtOnce(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	played := &testkit.Revocations{}
	accountsConn := serve(t, server.URL(), played)
	conn := connect(t, server.URL(), "gateway")
	follower := newFollower(conn, time.Now, OverNATS(conn))
	start(t, follower.Run)
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")

	played.Fail(errors.New("only what is pushed arrives"))
	require.NoError(t, accountsConn.Publish(accounts.SubjectRevoked, []byte("not JSON")))
	publish(t, accountsConn, played.Add(revocationOf(5)))
	eventually(t, func() bool { return follower.Revoked(1, 5) }, "revoked")
	require.Equal(t, uint64(1), follower.sequence.last())
}

func TestWhatWasNeverPublishedIsPulledWithinASecond(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	played := &testkit.Revocations{}
	serve(t, server.URL(), played)
	conn := connect(t, server.URL(), "gateway")
	follower := newFollower(conn, time.Now, OverNATS(conn))
	start(t, follower.Run)
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")
	played.Add(revocationOf(2))
	require.Eventually(t, func() bool { return follower.Revoked(1, 2) }, time.Second, 5*time.Millisecond)
}

// overHTTP serves played at a URL and returns the source that asks there.
func overHTTP(t *testing.T, played *testkit.Revocations) Source {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	verifier := assertion.NewVerifier(public, accounts.Service, time.Now)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		principal, err := verifier.Verify(request.Header.Get(assertion.Header))
		if err != nil || !principal.Anonymous() || request.URL.Path != accounts.PathRevocations {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		played.ServeHTTP(w, request)
	}))
	t.Cleanup(server.Close)
	return OverHTTP(server.Client(), server.URL, assertion.NewSigner(private, time.Now))
}

func TestWithoutNATSRevocationsArePulledOverHTTPWithinASecond(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*natsserver.Server, context.Context) error{
		"stopped": (*natsserver.Server).Stop,
		"hanging": func(server *natsserver.Server, _ context.Context) error { return server.Pause() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testservers.NewNATS(t, "")
			played := &testkit.Revocations{}
			serve(t, server.URL(), played)
			conn := connect(t, server.URL(), "gateway")
			follower := newFollower(conn, time.Now, OverNATS(conn), overHTTP(t, played))
			start(t, follower.Run)
			eventually(t, func() bool { return follower.Ready() == nil }, "ready")

			require.NoError(t, disturb(server, t.Context()))
			t.Cleanup(func() { _ = server.Continue() })
			for session := range uint64(3) {
				played.Add(revocationOf(session + 1))
				require.Eventually(t, func() bool { return follower.Revoked(1, session+1) }, time.Second, 5*time.Millisecond)
			}
			require.NoError(t, follower.Current())
		})
	}
}

func TestPagesThatAreTooLargeForNATSArePulledOverHTTP(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "max_payload: 64KB")
	played := &testkit.Revocations{}
	played.Add(manyRevocations(2*accounts.MaxRevocations + 1)...)
	serve(t, server.URL(), played)
	conn := connect(t, server.URL(), "gateway")
	follower := newFollower(conn, time.Now, OverNATS(conn), overHTTP(t, played))
	start(t, follower.Run)
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")
	require.Equal(t, 2*accounts.MaxRevocations+1, follower.Len())
	played.Add(revocationOf(1_000_000))
	eventually(t, func() bool { return follower.Revoked(1, 1_000_000) }, "learned")
	eventually(t, func() bool { return *follower.via.Load() == "nats" }, "the small pages that follow come over NATS again")
}

func TestWhatWasMissedWhileEverythingWasAwayIsLearnedAfterwards(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	played := &testkit.Revocations{}
	played.Add(revocationOf(1))
	serve(t, server.URL(), played)
	conn := connect(t, server.URL(), "gateway")
	follower := newFollower(conn, time.Now, OverNATS(conn))
	start(t, follower.Run)
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")

	require.NoError(t, server.Stop(t.Context()))
	eventually(t, func() bool { return !conn.IsConnected() }, "disconnected")
	require.True(t, follower.Revoked(1, 1))
	require.NoError(t, follower.Current(), "for as long as it knows enough")
	played.Add(revocationOf(2))
	require.NoError(t, server.Restart(t.Context()))
	eventually(t, func() bool { return follower.Revoked(1, 2) }, "learned")
}

// from makes played a source without a network.
func from(played *testkit.Revocations) Source {
	return Source{Name: "played", Timeout: time.Minute, Ask: func(ctx context.Context, after uint64) (accounts.Revocations, error) {
		return played.Page(ctx, accounts.RevocationsRequest{After: after})
	}}
}

func TestAGapInWhatIsHeardCausesAPullAtOnce(t *testing.T) {
	t.Parallel()
	played := &testkit.Revocations{}
	follower := newFollower(nil, time.Now, from(played))
	follower.pullOnce(t.Context())
	hear := func(revocation accounts.Revocation) {
		require.NoError(t, follower.AddFromAnswer(headerOf(t, accounts.Revocations{Revocations: []accounts.Revocation{revocation}})))
	}
	first, _, third := played.Add(revocationOf(1)).Revocations[0], played.Add(revocationOf(2)), played.Add(revocationOf(3)).Revocations[0]
	hear(first)
	require.Empty(t, follower.missing)
	require.Equal(t, uint64(1), follower.sequence.last())
	hear(first)
	require.Empty(t, follower.missing, "what is heard twice is no gap")
	hear(third)
	require.Len(t, follower.missing, 1)
	require.True(t, follower.Revoked(1, 3), "it holds, gap or not")
	require.Equal(t, uint64(1), follower.sequence.last())

	follower.pullOnce(t.Context())
	require.True(t, follower.Revoked(1, 2))
	require.Equal(t, uint64(3), follower.sequence.last())
	require.Equal(t, []uint64{0, 1}, played.Asked())
}

func TestKnowledgeTooOldToDecideByIsSaidSoAndHeals(t *testing.T) {
	t.Parallel()
	clock := newClock()
	played := &testkit.Revocations{}
	follower := newFollower(nil, clock.now, from(played))
	follower.pullOnce(t.Context())
	require.InDelta(t, 0, follower.staleness(), 0)

	played.Fail(errors.New("away"))
	clock.time = clock.in(30 * time.Second)
	follower.pullOnce(t.Context())
	require.NoError(t, follower.Current())
	clock.time = clock.in(time.Second)
	require.Error(t, follower.Current())
	require.NoError(t, follower.Ready(), "the process stays in service for public routes")
	require.InDelta(t, 31, follower.staleness(), 0)

	played.Fail(nil)
	follower.pullOnce(t.Context())
	require.NoError(t, follower.Current())
}

func TestAgeCountsFromTheStartOfAPull(t *testing.T) {
	t.Parallel()
	clock := newClock()
	played := &testkit.Revocations{}
	slow := Source{Name: "slow", Timeout: time.Minute, Ask: func(ctx context.Context, after uint64) (accounts.Revocations, error) {
		clock.time = clock.in(20 * time.Second)
		return played.Page(ctx, accounts.RevocationsRequest{After: after})
	}}
	follower := newFollower(nil, clock.now, slow)
	follower.pullOnce(t.Context())
	require.InDelta(t, 20, follower.staleness(), 0)
}

func TestAfterTheRestorationOfABackupEverythingIsAskedForAgain(t *testing.T) {
	t.Parallel()
	played := &testkit.Revocations{}
	played.Add(manyRevocations(10)...)
	follower := newFollower(nil, time.Now, from(played))
	follower.pullOnce(t.Context())
	played.Restore(5)
	follower.pullOnce(t.Context())
	played.Add(revocationOf(100))
	follower.pullOnce(t.Context())
	require.True(t, follower.Revoked(1, 100))
	require.Equal(t, []uint64{0, 10, 0, 5}, played.Asked())
}

func TestReplyThatLeadsNowhereEndsThePull(t *testing.T) {
	t.Parallel()
	follower := newFollower(nil, time.Now, Source{
		Name: "stuck", Timeout: time.Minute,
		Ask: func(context.Context, uint64) (accounts.Revocations, error) {
			return accounts.Revocations{Revocations: slices.Clone(manyRevocations(accounts.MaxRevocations))}, nil
		},
	})
	follower.pullOnce(t.Context())
	require.Error(t, follower.Ready())
}
