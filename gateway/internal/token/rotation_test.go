package token

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/fault"
)

// ring plays accounts: it publishes the keys of all its issuers and counts how often it is asked.
type ring struct {
	mu      sync.Mutex
	issuers []*testkit.Issuer
	fetches atomic.Int32
	down    atomic.Bool
}

func (r *ring) rotate(t *testing.T) *testkit.Issuer {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.issuers = append(r.issuers, testkit.NewIssuer(t))
	return r.issuers[len(r.issuers)-1]
}

func (r *ring) newest() *testkit.Issuer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.issuers[len(r.issuers)-1]
}

func (r *ring) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.fetches.Add(1)
	if r.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	testkit.WriteKeys(w, r.issuers...)
}

func newRing(t *testing.T) *ring {
	t.Helper()
	published := &ring{}
	published.rotate(t)
	return published
}

func (r *ring) verify(t *testing.T, verifier *Verifier, issuer *testkit.Issuer) error {
	t.Helper()
	_, err := verifier.Verify(t.Context(), client, []string{"Token " + issuer.Sign(t, testkit.Claims(7, 70, now), nil)})
	return err
}

func TestTenRotationsFailNoRequestMeanwhile(t *testing.T) {
	t.Parallel()
	published := newRing(t)
	verifier := newVerifier(t, publish(t, published.ServeHTTP), revoked{})
	ctx, stop := context.WithCancel(t.Context())
	var requests sync.WaitGroup
	var answered atomic.Int64
	failures := make(chan error, 8)
	for range cap(failures) {
		requests.Go(func() {
			for ctx.Err() == nil {
				if err := published.verify(t, verifier, published.newest()); err != nil {
					failures <- err
					return
				}
				answered.Add(1)
			}
		})
	}
	for range 10 {
		issuer := published.rotate(t)
		// Faster than one in a second, so that the limit of fetches is met.
		require.NoError(t, published.verify(t, verifier, issuer))
	}
	stop()
	requests.Wait()
	require.Empty(t, failures)
	require.Positive(t, answered.Load())
}

func TestAllRequestsWithANewKeyWaitForOneFetch(t *testing.T) {
	t.Parallel()
	published := newRing(t)
	verifier := newVerifier(t, publish(t, published.ServeHTTP), revoked{})
	require.NoError(t, published.verify(t, verifier, published.newest()))
	issuer := published.rotate(t)
	before := published.fetches.Load()
	atOnce(t, 50, func(int) error { return published.verify(t, verifier, issuer) })
	require.LessOrEqual(t, published.fetches.Load()-before, int32(2), "one that may have been under way, and one for all")
}

// atOnce requires that many calls at the same time all succeed.
func atOnce(t *testing.T, calls int, call func(i int) error) {
	t.Helper()
	var group sync.WaitGroup
	failures := make(chan error, calls)
	for i := range calls {
		group.Go(func() { failures <- call(i) })
	}
	group.Wait()
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
}

func TestRandomKeysCauseFewFetchesAndStarveNoGoodOne(t *testing.T) {
	t.Parallel()
	published := newRing(t)
	verifier := newVerifier(t, publish(t, published.ServeHTTP), revoked{})
	before, began := published.fetches.Load(), time.Now()
	ctx, stop := context.WithCancel(t.Context())
	var attackers sync.WaitGroup
	for range 20 {
		attackers.Go(func() {
			for ctx.Err() == nil {
				issuer := testkit.NewIssuer(t)
				_, err := verifier.Verify(ctx, client, []string{"Token " + issuer.Sign(t, testkit.Claims(7, 70, now), nil)})
				if ctx.Err() == nil && !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("a key that does not exist: %v", err)
				}
			}
		})
	}
	for range 5 {
		require.NoError(t, published.verify(t, verifier, published.rotate(t)))
	}
	stop()
	attackers.Wait()
	allowed := unknownKeyBurst + int32(time.Since(began)/unknownKeyInterval) + 2
	require.LessOrEqual(t, published.fetches.Load()-before, allowed)
}

func TestTokenWithAKeyThatIsGoneIsRefusedAtOnceAfterTheFirstTime(t *testing.T) {
	t.Parallel()
	published := newRing(t)
	verifier := newVerifier(t, publish(t, published.ServeHTTP), revoked{})
	stranger := testkit.NewIssuer(t)
	signed := stranger.Sign(t, testkit.Claims(7, 70, now), nil)
	requireInvalid(t, verifier, signed)
	before := published.fetches.Load()
	for range 100 {
		requireInvalid(t, verifier, signed)
	}
	require.Equal(t, before, published.fetches.Load())
}

func TestWhileAccountsIsAwayAnUnknownKeyIsNoReasonToLogOut(t *testing.T) {
	t.Parallel()
	published := newRing(t)
	verifier := newVerifier(t, publish(t, published.ServeHTTP), revoked{})
	published.down.Store(true)
	err := published.verify(t, verifier, testkit.NewIssuer(t))
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.NoError(t, published.verify(t, verifier, published.newest()), "the last good set stays")
}

func TestRequestsThatWaitForKeysAreBounded(t *testing.T) {
	t.Parallel()
	keys := newUnknownKeys(time.Now)
	for range maxWaiting {
		_, err := keys.enter()
		require.NoError(t, err)
	}
	require.ErrorIs(t, keys.wait(t.Context(), "x", func() bool { return false }), errTooManyWaiting)
	keys.leave()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, keys.wait(ctx, "x", func() bool { return false }), context.Canceled)
}

func TestFetchThatWasUnderWayDoesNotConvictANewKey(t *testing.T) {
	t.Parallel()
	keys := newUnknownKeys(time.Now)
	finish := keys.begin()
	result := make(chan error, 1)
	go func() { result <- keys.wait(t.Context(), "new", func() bool { return false }) }()
	<-keys.asked // it asks for a fetch of its own
	finish(nil)
	finish = keys.begin()
	select {
	case err := <-result:
		require.Fail(t, "decided by a fetch that began before", "%v", err)
	default:
	}
	finish(nil)
	require.NoError(t, <-result)
	require.True(t, keys.isAbsent("new"))
	keys.begin()(nil)
	require.False(t, keys.isAbsent("new"))
}
