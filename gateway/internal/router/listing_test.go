package router

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestListingNamesEveryMethodOfEveryRoute(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, List(&out, Routes))
	var rows []row
	require.NoError(t, json.Unmarshal(out.Bytes(), &rows))
	count := 0
	for _, route := range Routes {
		count += len(route.Methods)
	}
	require.Len(t, rows, count)
	require.Contains(t, rows, row{"POST", "/auth/refresh", "accounts", "public"})
	require.Contains(t, rows, row{"DELETE", "/auth/sessions/:id", "accounts", "owner"})
	require.Contains(t, rows, row{"PATCH", "/orders/:id", "orders", "owner"})
}
