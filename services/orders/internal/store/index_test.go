package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
)

// What a desk asks most is served by an index.
func TestCommonListsOfOrdersAreServedByAnIndex(t *testing.T) {
	t.Parallel()
	for query, index := range map[string]string{
		"":                                             "PRIMARY",
		"ordering=-id":                                 "PRIMARY",
		"ordering=order_number":                        "orders_number",
		"ordering=-product_name":                       "orders_product",
		"ordering=customer":                            "orders_customer",
		"ordering=-paymented_at":                       "orders_paid",
		"ordering=state":                               "orders_state",
		"ordering=id,-paymented_at":                    "PRIMARY",
		"order_number=AAAA00000001&state=paid":         "orders_number",
		"order_number=x&search=y&ordering=state":       "orders_number",
		"customer=7":                                   "orders_customer",
		"customer=7&ordering=-paymented_at":            "orders_customer_paid",
		"customer=7&ordering=customer,-paymented_at":   "orders_customer_paid",
		"customer=7&paymented_at__gte=2026-11-28":      "orders_customer_paid",
		"customer=7&state=paid":                        "orders_customer_state",
		"customer=7&state=paid,shipped":                "orders_customer_state",
		"customer=7&ordering=state":                    "orders_customer_state",
		"customer=7&state=paid&ordering=-paymented_at": "orders_customer_state_paid",
		"customer=7&state=paid,shipped&paymented_at__lt=2026-11-28": "orders_customer_state_paid",
		"product_name=x":                         "orders_product",
		"customer=7&product_name=x&ordering=-id": "orders_customer_product",
		"state=paid":                             "orders_state",
		"state=paid,preparing&ordering=-id":      "orders_state",
		"state=paid,preparing&ordering=state":    "orders_state",
		"state=paid&ordering=-paymented_at":      "orders_state_paid",
		"state=paid&paymented_at__gte=2026-11-28&paymented_at__lt=2026-11-29":      "orders_state_paid",
		"state=paid,preparing&paymented_at__gte=2026-11-28&ordering=-paymented_at": "orders_state_paid",
		"paymented_at__gte=2026-11-28&paymented_at__lt=2026-11-29":                 "orders_paid",
		// sql/README.md says what these cost.
		"search=x": "", "ordering=state,-paymented_at": "", "product_name=x&ordering=-paymented_at": "", "product_name=x&state=paid": "",
		"state=paid&ordering=product_name": "", "paymented_at__gte=2026-11-28&ordering=id": "",
	} {
		request, err := listing.Parse(query, order.List, time.UTC)
		require.NoError(t, err, query)
		var search []listsql.Condition
		for _, term := range request.Terms {
			search = append(search, listsql.Contains("product_name", term))
		}
		plan, err := store.List.Plan(request, search...)
		require.NoError(t, err, query)
		require.Equal(t, index, plan.Index(), query)
		require.Equal(t, index != "", plan.Direct(), query)
	}
}
