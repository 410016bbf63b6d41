package assertion_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

func FuzzVerifyAcceptsOnlyWhatTheGatewaySigned(f *testing.F) {
	genuine := sign(f, gatewayKey, member, "orders")
	f.Add(genuine)
	f.Add(sign(f, gatewayKey, authn.Principal{}, "orders"))
	f.Add(sign(f, otherKey, member, "orders"))
	f.Add(genuine[:len(genuine)-1])
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, signed string) {
		principal, err := verifier(moment).Verify(signed)
		if err != nil {
			require.True(t, fault.Is(err, fault.Unauthenticated))
			require.Zero(t, principal)
			return
		}
		end := strings.LastIndexByte(signed, '.')
		signature, err := base64.RawURLEncoding.DecodeString(signed[end+1:])
		require.NoError(t, err)
		require.True(t, ed25519.Verify(publicKey(gatewayKey), []byte(signed[:end]), signature))
	})
}
