package credential

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A token that a real drf-oms issued, and the digest that its database holds.
const (
	knoxToken  = "215a0895759f5d6068c3c64306ffa24ced457282a0fd0fbd739dff5d9a0dad65"
	knoxDigest = "d356043b56e29ec200d8cf5a14fa36cd48a28bcd11a4ac416509f168724aefffe74491b836f0ae6deac7a0909fca1ba601aab560f4b4c4bb94735a2ed715a011"
)

func TestTheDigestIsTheOneThatDRFOMSStores(t *testing.T) {
	t.Parallel()
	for _, token := range []string{knoxToken, strings.ToUpper(knoxToken)} {
		digest, opaque := DigestOf(token)
		require.True(t, opaque)
		require.Equal(t, knoxDigest, hex.EncodeToString(digest[:]))
	}
}

func TestNothingButATokenOfDRFOMSIsAnOpaqueCredential(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "x", knoxToken[1:], knoxToken + "0", knoxToken + "00", "g" + knoxToken[1:], " " + knoxToken[1:], knoxToken[:62] + "é",
		"eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJzdWIiOiI3In0.AAAA", strings.Repeat(knoxToken, 2),
	} {
		_, opaque := DigestOf(text)
		require.False(t, opaque, text)
	}
}
