package store_test

import (
	"testing"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

func TestSearchesThatTakeLongLeaveRoomForAllOtherReads(t *testing.T) {
	t.Parallel()
	d := newShop(t)
	list := func(request listing.Request) func() error {
		request.Limit = 1
		return func() error {
			_, err := d.Orders(d.told(t), order.Query{Request: request})
			return err
		}
	}
	d.RequireSlow(t, []func() error{list(listing.Request{Terms: []string{"x"}}), list(listing.Request{Offset: 100_000})}, map[string]func() error{
		"all":                list(listing.Request{}),
		"those of a member":  list(listing.Request{}.Only("customer", uint64(1))),
		"those of a product": list(listing.Request{}.Only("product_name", "x")),
	})
}
