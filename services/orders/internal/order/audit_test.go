package order_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

// told lets the process end, and returns the audit events of which accounts was told.
func (w world) told(t *testing.T) (lines []string) {
	t.Helper()
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, w.TellSeries(ended))
	for _, event := range w.Store.Audited {
		lines = append(lines, fmt.Sprintf("%s %s %d→%d %d× %s", event.Action, event.Outcome, event.Actor, event.Subject, event.Count, event.Detail))
	}
	return lines
}

func TestAdminsLooksAtOrdersOfOthersAreToldWithACount(t *testing.T) {
	t.Parallel()
	of := func(customerID uint64) listing.Request {
		return listing.Request{Limit: 10}.Only("customer", customerID)
	}
	for name, test := range map[string]struct {
		look func(context.Context, world, authn.Principal) error
		want string
	}{
		"at one": {func(ctx context.Context, w world, caller authn.Principal) error {
			_, err := w.Get(ctx, caller, 1)
			return err
		}, "order_read success 9→1 3× order 1"},
		"at a timeline": {func(ctx context.Context, w world, caller authn.Principal) error {
			_, err := w.Timeline(ctx, caller, 1, listing.Request{Limit: 10})
			return err
		}, "order_read success 9→1 3× order 1, timeline"},
		"at all": {func(ctx context.Context, w world, caller authn.Principal) error {
			request := listing.Request{Limit: 10, Matches: []listing.Match{{Field: "product_name", Op: listing.Is, Values: []any{"secret"}}}}
			_, err := w.List(ctx, caller, request)
			return err
		}, "order_list success 9→0 3× product_name"},
		"at all of one customer": {func(ctx context.Context, w world, caller authn.Principal) error {
			_, err := w.List(ctx, caller, of(ownerID))
			return err
		}, "order_list success 9→1 3× customer=1"},
		"at a file of all": {func(ctx context.Context, w world, caller authn.Principal) error {
			_, _, err := w.Export(ctx, caller, listing.Request{Terms: []string{"김선기"}})
			return err
		}, "order_export success 9→0 3× search"},
	} {
		w := newWorld()
		for range 3 {
			require.NoError(t, test.look(t.Context(), w, admin), name)
		}
		require.Equal(t, []string{test.want}, w.told(t), name)
	}
}

func TestWhatSomebodySeesOfItsOwnAndWhatNobodySawIsNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Store.Stored[2] = order.Order{ID: 2, CustomerID: adminID, OrderNumber: "SECOND000002", State: order.Paid, Version: 1}
	for caller, id := range map[authn.Principal]uint64{owner: 1, admin: 2} {
		_, err := w.Get(t.Context(), caller, id)
		require.NoError(t, err)
		_, err = w.Timeline(t.Context(), caller, id, listing.Request{Limit: 10})
		require.NoError(t, err)
		_, err = w.List(t.Context(), caller, listing.Request{Limit: 10}.Only("customer", caller.MemberID))
		require.NoError(t, err)
	}
	_, err := w.Get(t.Context(), admin, 77)
	require.Error(t, err)
	require.NoError(t, w.MaySee(t.Context(), admin, 1))
	_, _, err = w.Update(t.Context(), admin, 1, order.Change{ProductName: new("changed")}, unconditional{}, once) // its timeline tells that
	require.NoError(t, err)
	w.Store.Failure, w.Store.FailsAfter = context.DeadlineExceeded, 0
	_, err = w.List(t.Context(), admin, listing.Request{Limit: 10})
	require.Error(t, err)
	require.Empty(t, w.told(t))
}

func TestAnEventHoldsFromWhereAndWhen(t *testing.T) {
	t.Parallel()
	w := newWorld()
	caller := admin
	caller.Address = "::ffff:192.0.2.7"
	_, err := w.Get(t.Context(), caller, 1)
	require.NoError(t, err)
	w.told(t)
	require.Len(t, w.Store.Audited, 1)
	require.Equal(t, "192.0.2.7", w.Store.Audited[0].Address)
	require.Equal(t, ordertest.FirstOrder().PaidAt.UnixMicro(), w.Store.Audited[0].At.UnixMicro())
}
