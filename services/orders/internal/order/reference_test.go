package order_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing/listingtest"
	"oms.internal/orders/internal/order"
)

func TestTheReferenceSaysWhatMayBeAskedOfAList(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../gateway/API.md")
	require.NoError(t, err)
	listingtest.RequireDescribed(t, string(text), "`/orders/`", order.List)
}
