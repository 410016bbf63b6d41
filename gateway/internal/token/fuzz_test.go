package token

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

func FuzzAuthorizationYieldsOneWordOrIsRefused(f *testing.F) {
	for _, value := range []string{"Token abc", "bearer\tabc", "Basic abc", "Token", "Token a b", "", "Token a\u00a0b", "Token \x00"} {
		f.Add(value, "")
		f.Add(value, "Token x")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		values := []string{first}
		if second != "" {
			values = append(values, second)
		}
		found, err := fromHeader(values)
		if err != nil {
			require.True(t, fault.Is(err, fault.Unauthenticated))
			require.Empty(t, found)
			return
		}
		require.NotEmpty(t, found)
		require.Len(t, strings.Fields(found), 1)
		require.Contains(t, strings.Join(values, ","), found)
	})
}
