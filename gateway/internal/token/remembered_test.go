package token

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn"
)

func TestATokenThatWasVerifiedIsRefusedOnceItIsRevokedOrExpiredOrItsKeyIsGone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"revoked", "expired", "key gone"} {
		clock, ended := testkit.Noon(), &revoked{}
		issuer := testkit.NewIssuer(t)
		var published atomic.Pointer[testkit.Issuer]
		published.Store(issuer)
		keys := publish(t, func(w http.ResponseWriter, _ *http.Request) { testkit.WriteKeys(w, published.Load()) })
		verifier := NewVerifier(Options{Issuer: "oms", Audience: "oms", Keys: keys, Revocations: ended, Now: clock.Now})
		signed := issuer.Sign(t, testkit.Claims(7, 70, clock.Now()), nil)
		for range 3 {
			principal, err := verifier.Verify(t.Context(), client, []string{"Token " + signed})
			require.NoError(t, err, name)
			require.Equal(t, authn.Principal{MemberID: 7, SessionID: 70}, principal, name)
		}
		switch name {
		case "revoked":
			ended.session = 70
		case "expired":
			clock.Advance(10 * time.Hour)
		case "key gone":
			// A token of the new key has it fetched in turn with other fetches, so that none brings the old one again.
			next := testkit.NewIssuer(t)
			published.Store(next)
			_, err := verifier.Verify(t.Context(), client, []string{"Token " + next.Sign(t, testkit.Claims(7, 71, clock.Now()), nil)})
			require.NoError(t, err)
		}
		for range 3 {
			requireInvalid(t, verifier, signed)
		}
	}
}

// Whoever invents keys has them fetched every second.
func TestAFetchOfTheSameKeysLetsNoTokenBeVerifiedAgain(t *testing.T) {
	t.Parallel()
	published := newRing(t)
	keys := publish(t, published.ServeHTTP)
	verifier := newVerifier(t, keys, revoked{})
	first, err := verifier.parse(t.Context(), published.newest().Sign(t, testkit.Claims(7, 70, now), nil))
	require.NoError(t, err)
	require.NoError(t, keys.fetch(t.Context()))
	require.Equal(t, first.keys, keys.storage.sets.Load())
	published.rotate(t)
	require.NoError(t, keys.fetch(t.Context()))
	require.Less(t, first.keys, keys.storage.sets.Load(), "a key was added")
}

// A token that comes again costs a digest and two looks; "the first time" shows what it saves.
func BenchmarkVerify(b *testing.B) {
	issuer := testkit.NewIssuer(b)
	verifier := newVerifier(b, publishIssuer(b, issuer), revoked{})
	header := []string{"Token " + issuer.Sign(b, testkit.Claims(7, 70, now), nil)}
	verify := func(b *testing.B) {
		b.Helper()
		if _, err := verifier.Verify(b.Context(), client, header); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("the first time", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			verifier.remembered.InvalidateAll()
			verify(b)
		}
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			verify(b)
		}
	})
}
