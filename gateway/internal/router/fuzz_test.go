package router

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzFoundPathCanBeReadInOneWayOnly(f *testing.F) {
	table, err := NewTable(everything)
	require.NoError(f, err)
	for _, path := range []string{
		"/orders/", "/orders/12", "/accounts/users/..%2f..", "//orders/", "/orders/1/", "/auth/sessions/1", "/orders/%31", "", "/", "/swagger/", "/assets/start.css",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		resource, found := table.Find(path)
		if !found {
			return
		}
		pattern, segments := strings.Split(resource.Pattern, "/"), strings.Split(path, "/")
		require.Len(t, segments, len(pattern))
		for i, segment := range segments {
			if !strings.HasPrefix(pattern[i], ":") {
				require.Equal(t, pattern[i], segment)
				continue
			}
			require.Regexp(t, `^[A-Za-z0-9_-]+$`, segment)
		}
	})
}
