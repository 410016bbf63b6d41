package token

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/credential"
	"oms.internal/gateway/internal/revocation"
	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
)

// opaque has the form of a token of drf-oms.
var opaque = strings.Repeat("0123456789abcdef", 4)

// knowing is a memory of revocations that is never too old.
type knowing struct{ *revocation.Memory }

func (knowing) Current() error { return nil }

// opaqueWorld is a verifier of opaque tokens, and accounts that answers what the test wants.
type opaqueWorld struct {
	*testkit.Clock
	*Verifier

	memory *revocation.Memory
	reply  accounts.CredentialReply
	// meanwhile happens when accounts has made its answer, and it is still on its way.
	meanwhile func()
	asked     int
}

func newOpaqueWorld(t *testing.T) *opaqueWorld {
	t.Helper()
	w := &opaqueWorld{Clock: testkit.Noon(), meanwhile: func() {}}
	w.memory = revocation.NewMemory(w.Now)
	w.reply = accounts.CredentialReply{
		Found: true, MemberID: 7, SessionID: 70, Admin: true, Scopes: []string{accounts.ScopeMember}, ExpiresAt: w.In(time.Hour),
	}
	ask := func(context.Context, credential.Digest) (accounts.CredentialReply, error) {
		w.asked++
		reply := w.reply
		w.meanwhile()
		return reply, nil
	}
	w.Verifier = NewVerifier(Options{
		Issuer: "oms", Audience: "oms", Keys: publishIssuer(t, testkit.NewIssuer(t)), Revocations: knowing{w.memory}, Now: w.Now,
		Credentials: credential.NewFinder(ask, w.Now, prometheus.NewRegistry()),
	})
	return w
}

// logOut is heard of: the session ends, and is remembered as ended for a minute longer than its token lives.
func (w *opaqueWorld) logOut() {
	w.memory.Add([]accounts.Revocation{{SessionID: 70, Until: w.reply.ExpiresAt.Add(time.Minute)}})
}

// logOutAll ends all sessions of the member in the same way.
func (w *opaqueWorld) logOutAll() {
	w.memory.Add([]accounts.Revocation{{MemberID: 7, ThroughSession: 80, Until: w.reply.ExpiresAt.Add(time.Minute)}})
}

func (w *opaqueWorld) requireLetIn(t *testing.T) {
	t.Helper()
	principal, err := w.Verify(t.Context(), client, []string{"Token " + opaque})
	require.NoError(t, err)
	require.Equal(t, authn.Principal{MemberID: 7, SessionID: 70, Admin: true}, principal)
}

func TestAnOpaqueTokenTellsWhoAsksWhateverItsSchemeAndCase(t *testing.T) {
	t.Parallel()
	w := newOpaqueWorld(t)
	for _, header := range []string{"Token " + opaque, "bearer " + opaque, "Token " + strings.ToUpper(opaque)} {
		principal, err := w.Verify(t.Context(), client, []string{header})
		require.NoError(t, err, header)
		require.Equal(t, authn.Principal{MemberID: 7, SessionID: 70, Admin: true}, principal, header)
	}
	require.Equal(t, 1, w.asked)
}

// Accounts may answer that a session goes on which has ended: because the answer was under way, because it comes from a server that was
// the primary until a moment ago, or because it is remembered. What this gateway knows of revocations decides.
func TestNoAnswerAboutAnOpaqueTokenOutlivesARevocation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(t *testing.T, w *opaqueWorld){
		"heard of before the question":  func(_ *testing.T, w *opaqueWorld) { w.logOut() },
		"heard of during the question":  func(_ *testing.T, w *opaqueWorld) { w.meanwhile = w.logOut },
		"of all, during the question":   func(_ *testing.T, w *opaqueWorld) { w.meanwhile = w.logOutAll },
		"heard of once it was let in":   func(t *testing.T, w *opaqueWorld) { w.requireLetIn(t); w.logOut() },
		"of all, once it was let in":    func(t *testing.T, w *opaqueWorld) { w.requireLetIn(t); w.logOutAll() },
		"between an answer and a later": func(t *testing.T, w *opaqueWorld) { w.requireLetIn(t); w.Advance(6 * time.Second); w.logOut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newOpaqueWorld(t)
			test(t, w)
			// Until the token has expired, and until after the gateway has forgotten the revocation.
			for range 1000 {
				requireInvalid(t, w.Verifier, opaque)
				w.Advance(6 * time.Second)
				w.memory.Add(nil) // has it forget what is over, a part at a time
			}
			require.Zero(t, w.memory.Len(), "the revocation is forgotten")
			requireInvalid(t, w.Verifier, opaque)
		})
	}
}

func TestALaterSessionOfAMemberWhoLoggedOutOfAllIsLetIn(t *testing.T) {
	t.Parallel()
	w := newOpaqueWorld(t)
	w.memory.Add([]accounts.Revocation{{MemberID: 7, ThroughSession: 69, Until: w.In(time.Hour)}})
	w.requireLetIn(t)
}

// answering are Credentials that give one error.
type answering struct{ err error }

func (a answering) Find(context.Context, netip.Addr, credential.Digest) (credential.Bearer, error) {
	return credential.Bearer{}, a.err
}

func TestAnOpaqueTokenIsCalledInvalidOnlyIfAccountsSaysSo(t *testing.T) {
	t.Parallel()
	keys := publishIssuer(t, testkit.NewIssuer(t))
	for code, answer := range map[fault.Code]error{
		fault.Unauthenticated: credential.ErrUnknown,
		fault.Unavailable:     fault.NewUnavailable(errors.New("accounts is away")),
		fault.TooManyRequests: fault.NewTooManyRequests(time.Second),
	} {
		verifier := NewVerifier(Options{
			Issuer: "oms", Audience: "oms", Keys: keys, Revocations: revoked{}, Now: func() time.Time { return now }, Credentials: answering{answer},
		})
		principal, err := verifier.Verify(t.Context(), client, []string{"Token " + opaque})
		require.True(t, fault.Is(err, code), "%v", err)
		require.Equal(t, authn.Principal{}, principal)
		require.NotContains(t, err.Error(), opaque)
		if code != fault.Unauthenticated {
			require.Equal(t, time.Second, fault.Of(err).RetryAfter)
		}
	}
}

func TestNoOpaqueTokenIsLetInBeforeRevocationsAreKnown(t *testing.T) {
	t.Parallel()
	verifier := NewVerifier(Options{
		Issuer: "oms", Audience: "oms", Keys: publishIssuer(t, testkit.NewIssuer(t)), Revocations: revoked{unready: errors.New("not yet")},
		Now: func() time.Time { return now }, Credentials: answering{errors.New("it must not be asked")},
	})
	_, err := verifier.Verify(t.Context(), client, []string{"Token " + opaque})
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
}
