package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

func TestAProcessMendsWhatTheReleaseBeforeWroteWhileItServes(t *testing.T) {
	t.Parallel()
	p := start(t)
	require.NoError(t, p.Stop())
	_, err := p.root.ExecContext(t.Context(),
		"INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (1, 'BEFORE000001', ?, NOW())", norm.NFD.String("꽃다발"))
	require.NoError(t, err)
	p.run(t)
	require.Eventually(t, func() bool { return p.count(t, "orders WHERE product_name COLLATE utf8mb4_bin = '꽃다발'") == 1 }, patience, poll)
}
