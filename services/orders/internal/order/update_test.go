package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
)

func TestAChangeLeavesWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change order.Change
		want   func(*order.Order)
	}{
		"nothing":       {order.Change{}, func(*order.Order) {}},
		"the product":   {order.Change{ProductName: new("마카롱")}, func(o *order.Order) { o.ProductName = "마카롱" }},
		"the number":    {order.Change{OrderNumber: new("NEW000000001")}, func(o *order.Order) { o.OrderNumber = "NEW000000001" }},
		"its customer":  {order.Change{CustomerID: new(uint64(ownerID))}, func(*order.Order) {}},
		"another buyer": {order.Change{CustomerID: new(uint64(otherID))}, func(o *order.Order) { o.CustomerID = otherID }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			want := firstOrder()
			c.want(&want)
			changed, err := w.Update(t.Context(), admin, firstOrder(), c.change)
			require.NoError(t, err)
			require.Equal(t, want, changed)
			require.Equal(t, want, w.store.orders[1])
		})
	}
}

func TestThePresentCustomerNeedsNoCheck(t *testing.T) {
	t.Parallel()
	for name, caller := range map[string]authn.Principal{"its customer": owner, "an admin": admin} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.accounts.failure = fault.NewUnavailable(nil)
			_, err := w.Update(t.Context(), caller, firstOrder(), order.Change{CustomerID: new(uint64(ownerID)), ProductName: new("p")})
			require.NoError(t, err)
			require.Empty(t, w.accounts.asked)
		})
	}
}

func TestAMemberCannotGiveItsOrderAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Update(t.Context(), owner, firstOrder(), order.Change{CustomerID: new(uint64(otherID)), ProductName: new("p")})
	require.True(t, fault.Is(err, fault.Forbidden), "%v", err)
	require.Zero(t, w.store.writes)
}

func TestAnAdminCannotGiveAnOrderToSomeoneWhoIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Update(t.Context(), admin, firstOrder(), order.Change{CustomerID: new(uint64(77))})
	require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	require.Zero(t, w.store.writes)
}

// An order that was shown to its customer may belong to another one when the change comes to it.
func TestAnOrderThatChangedHandsMeanwhileIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	moved := firstOrder()
	moved.CustomerID = otherID
	w.store.orders[1] = moved
	_, err := w.Update(t.Context(), owner, firstOrder(), order.Change{ProductName: new("p")})
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	require.Equal(t, moved, w.store.orders[1])
}

func TestAWriteIsRememberedForItsCallerAndItsCustomer(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		write func(*testing.T, *world) error
		want  writers
	}{
		"create": {func(t *testing.T, w *world) error {
			_, err := w.Create(t.Context(), admin, order.Change{CustomerID: new(uint64(otherID)), ProductName: new("p")})
			return err
		}, writers{adminID: true, otherID: true}},
		"update": {func(t *testing.T, w *world) error {
			_, err := w.Update(t.Context(), admin, firstOrder(), order.Change{ProductName: new("p")})
			return err
		}, writers{adminID: true, ownerID: true}},
		"delete": {func(t *testing.T, w *world) error {
			return w.Delete(t.Context(), admin, 1)
		}, writers{adminID: true, ownerID: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			require.NoError(t, c.write(t, w))
			require.Equal(t, c.want, w.recent)

			failing := newWorld(t)
			failing.store.failure = fault.NewUnavailable(nil)
			require.ErrorIs(t, c.write(t, failing), failing.store.failure)
			require.Empty(t, failing.recent)

			// Its caller is told to look, and must not look at a replica that is behind.
			unsure := newWorld(t)
			unsure.store.failure = fault.New(fault.OutcomeUnknown, "?", nil)
			require.ErrorIs(t, c.write(t, unsure), unsure.store.failure)
			require.Equal(t, c.want, unsure.recent)
		})
	}
}
