package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

// operations are all ways to an order by its id.
var operations = map[string]func(*testing.T, world, authn.Principal, uint64) error{
	"get": func(t *testing.T, w world, caller authn.Principal, id uint64) error {
		found, err := w.Get(t.Context(), caller, id)
		if err == nil {
			require.Equal(t, ordertest.FirstOrder(), found)
		}
		return err
	},
	"update": func(t *testing.T, w world, caller authn.Principal, id uint64) error {
		_, _, err := w.Update(t.Context(), caller, id, order.Change{ProductName: new("changed")}, unconditional{}, once)
		return err
	},
	"transition": func(t *testing.T, w world, caller authn.Principal, id uint64) error {
		_, _, err := w.Transition(t.Context(), caller, id, order.Transition{To: order.Cancelled}, unconditional{}, once)
		return err
	},
	"timeline": func(t *testing.T, w world, caller authn.Principal, id uint64) error {
		_, err := w.Timeline(t.Context(), caller, id, listing.Request{Limit: 10})
		return err
	},
	"delete": func(t *testing.T, w world, caller authn.Principal, id uint64) error {
		_, err := w.Delete(t.Context(), caller, id, unconditional{}, once)
		return err
	},
}

func TestOnlyItsCustomerAndAdminsReachAnOrder(t *testing.T) {
	t.Parallel()
	callers := map[string]struct {
		caller  authn.Principal
		reaches bool
	}{
		"its customer":   {owner, true},
		"an admin":       {admin, true},
		"another member": {other, false},
		"nobody":         {authn.Principal{}, false},
	}
	for name, operate := range operations {
		for who, c := range callers {
			t.Run(name+" by "+who, func(t *testing.T) {
				t.Parallel()
				w := newWorld()
				err := operate(t, w, c.caller, 1)
				if c.reaches {
					require.NoError(t, err)
					return
				}
				require.True(t, fault.Is(err, fault.NotFound), "%v", err)
				require.Equal(t, ordertest.FirstOrder(), w.Store.Stored[1])
				require.Empty(t, w.Store.Facts)
			})
		}
	}
}

func TestAHiddenOrderIsToldApartFromAMissingOneByNothing(t *testing.T) {
	t.Parallel()
	for name, operate := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hidden, missing := operate(t, newWorld(), other, 1), operate(t, newWorld(), other, 77)
			require.Error(t, missing)
			require.Equal(t, fault.Of(missing).Detail, fault.Of(hidden).Detail)
			require.Equal(t, fault.Of(missing).Code, fault.Of(hidden).Code)
		})
	}
}
