package revocation

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

// overHTTP serves played at a URL and returns what asks there.
func overHTTP(t *testing.T, played *testkit.Revocations) Ask {
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

func TestFollowerIsReadyOnceItHasEveryPage(t *testing.T) {
	t.Parallel()
	played := &testkit.Revocations{}
	played.Fail(errors.New("not up yet"))
	follower := newFollower(nil, time.Now, overHTTP(t, played))
	follower.pullOnce(t.Context())
	require.Error(t, follower.Ready())
	require.Error(t, follower.Current())

	played.Fail(nil)
	played.Add(manyRevocations(2*accounts.MaxRevocations + 1)...)
	follower.pullOnce(t.Context())
	require.NoError(t, follower.Ready())
	require.NoError(t, follower.Current())
	require.Equal(t, 2*accounts.MaxRevocations+1, follower.Len())
	require.Equal(t, []uint64{0, accounts.MaxRevocations, 2 * accounts.MaxRevocations}, played.Asked())
}

func TestPublishedRevocationIsHeardAlsoAfterNATSWasAway(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	publisher, conn := testkit.Connect(t, server.URL(), "accounts"), testkit.Connect(t, server.URL(), "gateway")
	played := &testkit.Revocations{}
	follower := newFollower(conn, time.Now, played.After)
	testservers.Run(t, follower.Run)
	eventually(t, func() bool { return follower.Ready() == nil }, "ready")
	played.Fail(errors.New("only what is pushed arrives"))

	push := func(session uint64) {
		message := accounts.Revocations{Revocations: []accounts.Revocation{revocationOf(session)}}
		eventually(t, func() bool {
			_ = publisher.Publish(accounts.SubjectRevoked, []byte("not JSON"))
			publish(publisher, message)
			return follower.Revoked(1, session)
		}, "heard")
	}
	push(5)
	require.NoError(t, server.Stop(t.Context()))
	eventually(t, func() bool { return !conn.IsConnected() }, "disconnected")
	require.True(t, follower.Revoked(1, 5))
	require.NoError(t, server.Restart(t.Context()))
	push(6)
}

func TestWhatIsNotPushedIsPulledWithinASecond(t *testing.T) {
	t.Parallel()
	for name, hangs := range map[string]bool{"at once": false, "from another instance than the one that hangs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				played := &testkit.Revocations{}
				turn := 0
				follower := newFollower(nil, time.Now, func(ctx context.Context, after uint64) (accounts.Revocations, error) {
					if turn++; hangs && turn%2 == 0 {
						<-ctx.Done()
						return accounts.Revocations{}, ctx.Err()
					}
					return played.After(ctx, after)
				})
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				go follower.poll(ctx)
				for session := range uint64(5) {
					synctest.Wait()
					require.NoError(t, follower.Current())
					played.Add(revocationOf(session + 1))
					<-time.After(time.Second)
					synctest.Wait()
					require.True(t, follower.Revoked(1, session+1))
				}
			})
		})
	}
}

func TestWithoutNATSRevocationsArePulled(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*natsserver.Server, context.Context) error{
		"stopped": (*natsserver.Server).Stop,
		"hanging": func(server *natsserver.Server, _ context.Context) error { return server.Pause() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testservers.NewNATS(t, "")
			played := &testkit.Revocations{}
			follower := newFollower(testkit.Connect(t, server.URL(), "gateway"), time.Now, overHTTP(t, played))
			testservers.Run(t, follower.Run)
			eventually(t, func() bool { return follower.Ready() == nil }, "ready")
			require.NoError(t, disturb(server, t.Context()))
			t.Cleanup(func() { _ = server.Continue() })
			played.Add(revocationOf(1))
			eventually(t, func() bool { return follower.Revoked(1, 1) }, "pulled")
			require.NoError(t, follower.Current())
		})
	}
}

func TestAGapInWhatIsHeardCausesAPullAtOnce(t *testing.T) {
	t.Parallel()
	played := &testkit.Revocations{}
	follower := newFollower(nil, time.Now, played.After)
	follower.pullOnce(t.Context())
	hear := func(revocation accounts.Revocation) {
		require.NoError(t, follower.ReadAnswer(authn.Principal{}, headerOf(t, accounts.Revocations{Revocations: []accounts.Revocation{revocation}})))
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
	clock := testkit.Noon()
	played := &testkit.Revocations{}
	follower := newFollower(nil, clock.Now, played.After)
	follower.pullOnce(t.Context())
	require.InDelta(t, 0, follower.staleness(), 0)

	played.Fail(errors.New("away"))
	clock.Advance(30 * time.Second)
	follower.pullOnce(t.Context())
	require.NoError(t, follower.Current())
	clock.Advance(time.Second)
	require.Error(t, follower.Current())
	require.InDelta(t, 31, follower.staleness(), 0)

	played.Fail(nil)
	follower.pullOnce(t.Context())
	require.NoError(t, follower.Current())
}

func TestAgeCountsFromTheStartOfAPull(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	played := &testkit.Revocations{}
	follower := newFollower(nil, clock.Now, func(ctx context.Context, after uint64) (accounts.Revocations, error) {
		clock.Advance(20 * time.Second)
		return played.After(ctx, after)
	})
	follower.pullOnce(t.Context())
	require.InDelta(t, 20, follower.staleness(), 0)
}

func TestAfterTheRestorationOfABackupEverythingIsAskedForAgain(t *testing.T) {
	t.Parallel()
	played := &testkit.Revocations{}
	played.Add(manyRevocations(10)...)
	follower := newFollower(nil, time.Now, played.After)
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
	follower := newFollower(nil, time.Now, func(context.Context, uint64) (accounts.Revocations, error) {
		return accounts.Revocations{Revocations: manyRevocations(accounts.MaxRevocations)}, nil
	})
	follower.pullOnce(t.Context())
	require.Error(t, follower.Ready())
}
