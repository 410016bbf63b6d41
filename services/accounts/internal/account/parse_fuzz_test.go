package account

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
)

func FuzzARefreshTokenIs32BytesInOneForm(f *testing.F) {
	for _, seed := range []string{"", strings.Repeat("A", 43), strings.Repeat("A", 42) + "B", strings.Repeat("_", 43) + "=", "\n", "ü"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := parseSecret(text)
		if !ok {
			return
		}
		require.Len(t, token, refreshBytes)
		without := strings.NewReplacer("\r", "", "\n", "").Replace(text) // the decoder leaves line ends out
		require.Equal(t, without, token.String())
		decoded, err := base64.RawURLEncoding.DecodeString(without)
		require.NoError(t, err)
		require.Equal(t, []byte(token), decoded)
	})
}

func FuzzWhatIsKeptOfAClientFitsItsColumns(f *testing.F) {
	for _, seed := range [][2]string{{"192.0.2.1", "Browser/1"}, {"2001:db8::1%eth0", "\x00\xff"}, {"::ffff:192.0.2.1", strings.Repeat("ü", 300)}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, address, userAgent string) {
		client := NewClient(authn.Principal{Address: address}, userAgent)
		require.True(t, utf8.ValidString(client.UserAgent))
		require.LessOrEqual(t, utf8.RuneCountInString(client.UserAgent), MaxUserAgent)
		require.Equal(t, -1, strings.IndexFunc(client.UserAgent, unicode.IsControl))
		require.LessOrEqual(t, len(client.Address), 45)
		if client.Address != "" {
			parsed, err := netip.ParseAddr(client.Address)
			require.NoError(t, err)
			network := netip.MustParsePrefix(client.network())
			require.True(t, network.Contains(parsed))
		}
	})
}
