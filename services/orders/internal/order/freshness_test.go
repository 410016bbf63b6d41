package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/orders/internal/order"
)

func TestReadsAreAsFreshAsTheirReaderMayExpect(t *testing.T) {
	t.Parallel()
	list := func(caller authn.Principal, customerID uint64) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.List(t.Context(), caller, order.Query{CustomerID: customerID})
			return err
		}
	}
	last := func(readerID uint64, customerIDs ...uint64) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.Last(t.Context(), customerIDs, readerID)
			return err
		}
	}
	cases := map[string]struct {
		read  func(*testing.T, *world) error
		wrote []uint64
		want  order.Freshness
	}{
		"a member's list":                             {read: list(owner, 0), want: order.Latest},
		"an admin's list":                             {read: list(admin, 0), want: order.Recent},
		"an admin's list of a member":                 {read: list(admin, ownerID), want: order.Recent},
		"an admin's list of itself":                   {read: list(admin, adminID), want: order.Latest},
		"an admin's list after its write":             {read: list(admin, 0), wrote: []uint64{adminID}, want: order.Latest},
		"an admin's list after another's write":       {read: list(admin, 0), wrote: []uint64{ownerID}, want: order.Recent},
		"one's own last order":                        {read: last(ownerID, ownerID), want: order.Latest},
		"another's last order":                        {read: last(otherID, ownerID), want: order.Recent},
		"another's last order after a write":          {read: last(otherID, ownerID), wrote: []uint64{otherID}, want: order.Latest},
		"a page of last orders":                       {read: last(ownerID, ownerID, otherID), want: order.Recent},
		"a page of last orders after a write":         {read: last(ownerID, ownerID, otherID), wrote: []uint64{ownerID}, want: order.Latest},
		"a page of last orders for nobody in special": {read: last(0, ownerID, otherID), want: order.Recent},
		"no last orders for nobody in special":        {read: last(0), want: order.Recent},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, id := range c.wrote {
				w.recent.Mark(id)
			}
			require.NoError(t, c.read(t, w))
			require.Equal(t, []order.Freshness{c.want}, w.store.reads)
		})
	}
}
