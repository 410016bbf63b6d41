package browser

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzAllowedOriginIsOneThatABrowserSends(f *testing.F) {
	for _, text := range []string{"*", "https://shop.test", "http://a.test:8080,https://b.test", "https://a/", "null", "https://[::1]:80", "https://a%41"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var origins Origins
		if origins.UnmarshalText([]byte(text)) != nil {
			return
		}
		for _, origin := range origins.allowed {
			if origin == anyOrigin {
				require.Len(t, origins.allowed, 1)
				continue
			}
			host, found := strings.CutPrefix(strings.Replace(origin, "https:", "http:", 1), "http://")
			require.True(t, found, origin)
			require.NotContains(t, host, "/")
			require.False(t, strings.ContainsAny(host, "*?#@ \t\r\n,"), origin)
		}
	})
}
