package order_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
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
			w := newWorld()
			want := ordertest.FirstOrder()
			c.want(&want)
			if want != ordertest.FirstOrder() {
				want.Version++
			}
			changed, _, err := w.Update(t.Context(), admin, 1, c.change, unconditional{}, once)
			require.NoError(t, err)
			require.Equal(t, want, changed)
			require.Equal(t, want, w.Store.Stored[1])
		})
	}
}

func TestThePresentCustomerNeedsNoCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caller authn.Principal
		asked  []any
	}{
		"its customer": {owner, nil}, "an admin": {admin, []any{uint64(adminID)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			delete(w.Accounts.Members, ownerID)
			_, _, err := w.Update(t.Context(), c.caller, 1, order.Change{CustomerID: new(uint64(ownerID)), ProductName: new("p")}, unconditional{}, once)
			require.NoError(t, err)
			require.Equal(t, c.asked, w.Accounts.Asked)
		})
	}
}

func TestAMemberCannotGiveItsOrderAway(t *testing.T) {
	t.Parallel()
	w := newWorld()
	_, _, err := w.Update(t.Context(), owner, 1, order.Change{CustomerID: new(uint64(otherID)), ProductName: new("p")}, unconditional{}, once)
	require.True(t, fault.Is(err, fault.Forbidden), "%v", err)
	require.Zero(t, w.Store.Writes)
}

func TestAnAdminCannotGiveAnOrderToSomeoneWhoIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld()
	_, _, err := w.Update(t.Context(), admin, 1, order.Change{CustomerID: new(uint64(77))}, unconditional{}, once)
	require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	require.Zero(t, w.Store.Writes)
}

// An order that was shown to its customer may belong to another one when the change comes to it.
func TestAnOrderThatChangedHandsMeanwhileIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld()
	moved := ordertest.FirstOrder()
	moved.CustomerID = otherID
	w.Store.Moved = &moved
	_, _, err := w.Update(t.Context(), owner, 1, order.Change{ProductName: new("p")}, unconditional{}, once)
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	require.Equal(t, moved, w.Store.Stored[1])
}

func TestAnOrderThatGotAnotherCustomerMeanwhileIsNotGivenBackUnasked(t *testing.T) {
	t.Parallel()
	w := newWorld()
	moved := ordertest.FirstOrder()
	moved.CustomerID = otherID
	w.Store.Moved = &moved
	_, _, err := w.Update(t.Context(), admin, 1, order.Change{CustomerID: new(uint64(ownerID))}, unconditional{}, once)
	require.True(t, fault.Is(err, fault.Conflict), "%v", err)
	require.Equal(t, moved, w.Store.Stored[1])
}

// The writes, each of the order 1 but the first.
var writes = map[string]func(context.Context, *testing.T, world, order.Condition) error{
	"create": func(ctx context.Context, t *testing.T, w world, _ order.Condition) error {
		_, err := w.createIn(ctx, t, admin, order.Change{CustomerID: new(uint64(otherID)), ProductName: new("p")})
		return err
	},
	"update": func(ctx context.Context, _ *testing.T, w world, condition order.Condition) error {
		_, _, err := w.Update(ctx, admin, 1, order.Change{CustomerID: new(uint64(otherID))}, condition, once)
		return err
	},
	"transition": func(ctx context.Context, _ *testing.T, w world, condition order.Condition) error {
		_, _, err := w.Transition(ctx, admin, 1, order.Transition{To: order.Preparing}, condition, once)
		return err
	},
	"delete": func(ctx context.Context, _ *testing.T, w world, condition order.Condition) error {
		_, err := w.Delete(ctx, admin, 1, condition, once)
		return err
	},
}

func TestAWriteConcernsItsCustomers(t *testing.T) {
	t.Parallel()
	concerned := map[string][]uint64{
		"create": {otherID}, "update": {ownerID, otherID}, "transition": {ownerID}, "delete": {ownerID},
	}
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := consistency.Into(t.Context(), 0)
			require.NoError(t, write(ctx, t, newWorld(), unconditional{}))
			require.Equal(t, concerned[name], consistency.Writes(ctx).MemberIDs)

			// Who looks whether it happened must not look at a replica that is behind.
			ctx, unsure := consistency.Into(t.Context(), 0), newWorld()
			unsure.Store.Failure = fault.New(fault.OutcomeUnknown, "?", nil)
			require.ErrorIs(t, write(ctx, t, unsure, unconditional{}), unsure.Store.Failure)
			require.Equal(t, concerned[name], consistency.Writes(ctx).MemberIDs)
		})
	}
}

func TestAnOrderThatIsNotAsExpectedStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, write := range writes {
		if name == "create" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			err := write(t.Context(), t, w, condition(2))
			require.True(t, fault.Is(err, fault.PreconditionFailed), "%v", err)
			require.Equal(t, ordertest.FirstOrder(), w.Store.Stored[1])
			require.Empty(t, w.Store.Facts)
			require.NoError(t, write(t.Context(), t, w, condition(1)))
		})
	}
}
