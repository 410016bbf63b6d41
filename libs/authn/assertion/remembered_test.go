package assertion_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/fault"
)

func TestAnAssertionIsSentAgainForTheSameCallerWhileItLastsLongEnough(t *testing.T) {
	t.Parallel()
	now := moment
	signer := assertion.NewSigner(gatewayKey, func() time.Time { return now })
	signed := func(principal authn.Principal, audience string) string {
		text, err := signer.Sign(principal, audience)
		require.NoError(t, err)
		return text
	}
	first := signed(member, "orders")
	now = moment.Add(9 * time.Second)
	require.Equal(t, first, signed(member, "orders"))
	for name, other := range map[string]string{
		"another service": signed(member, "accounts"),
		"another member":  signed(authn.Principal{MemberID: 8, SessionID: member.SessionID, Admin: true}, "orders"),
		"another session": signed(authn.Principal{MemberID: 7, SessionID: 1, Admin: true}, "orders"),
		"no admin":        signed(authn.Principal{MemberID: 7, SessionID: member.SessionID}, "orders"),
		"another address": signed(authn.Principal{MemberID: 7, SessionID: member.SessionID, Admin: true, Address: "192.0.2.1"}, "orders"),
	} {
		require.NotEqual(t, first, other, name)
	}
	for _, later := range []time.Duration{10 * time.Second, time.Hour, -time.Second} { // the last one is a clock that was set back
		now = moment.Add(later)
		again := signed(member, "orders")
		require.NotEqual(t, first, again, later)
		_, err := verifier(now.Add(19 * time.Second)).Verify(again)
		require.NoError(t, err, later)
	}
}

func TestAnAssertionThatWasVerifiedIsRefusedOnceItHasExpired(t *testing.T) {
	t.Parallel()
	now := moment
	verifier := assertion.NewVerifier(publicKey(gatewayKey), "orders", func() time.Time { return now })
	signed := sign(t, gatewayKey, member, "orders")
	for range 3 {
		got, err := verifier.Verify(signed)
		require.NoError(t, err)
		require.Equal(t, member, got)
	}
	now = moment.Add(assertion.Lifetime + 5*time.Second)
	for range 3 {
		_, err := verifier.Verify(signed)
		require.True(t, fault.Is(err, fault.Unauthenticated))
	}
}

// What comes again costs neither a signature nor its verification; "the first time" shows what that saves.
func BenchmarkSignAndVerify(b *testing.B) {
	var sessions uint64
	for name, next := range map[string]uint64{"the first time": 1, "again": 0} {
		b.Run(name, func(b *testing.B) {
			signer, verifier := assertion.NewSigner(gatewayKey, at(moment)), verifier(moment)
			b.ReportAllocs()
			for b.Loop() {
				sessions += next
				signed, err := signer.Sign(authn.Principal{MemberID: 7, SessionID: sessions, Address: "192.0.2.1"}, "orders")
				if err == nil {
					_, err = verifier.Verify(signed)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
