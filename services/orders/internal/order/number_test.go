package order_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/orders/internal/order"
)

func TestGeneratedNumbersHaveTheFormOfANumberAndDiffer(t *testing.T) {
	t.Parallel()
	const count = 1000
	seen := map[string]bool{}
	for range count {
		number, err := order.NewNumber()
		require.NoError(t, err)
		require.Len(t, number, order.NumberLength)
		require.Regexp(t, order.NumberPattern, number)
		seen[number] = true
	}
	require.Len(t, seen, count)
	var all strings.Builder
	for number := range seen {
		all.WriteString(number)
	}
	// 12,000 characters: one of 36 is missing by chance once in 10^145 runs.
	for _, char := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		require.Contains(t, all.String(), string(char))
	}
}
