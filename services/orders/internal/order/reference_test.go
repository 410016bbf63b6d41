package order_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listingtest"
	"oms.internal/orders/internal/order"
)

func TestTheDescriptionSaysWhatMayBeAskedOfAList(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../gateway/openapi.yaml")
	require.NoError(t, err)
	listingtest.RequireDescribed(t, text, "/orders/", order.List)
	listingtest.RequireDescribed(t, text, "/orders/{id}/timeline", listing.List{})
	var states []string
	for _, state := range order.States() {
		states = append(states, string(state))
	}
	listingtest.RequireChoices(t, text, "OrderState", states)
	listingtest.RequireChoices(t, text, "StepState", append(states, string(order.Deleted)))
}
