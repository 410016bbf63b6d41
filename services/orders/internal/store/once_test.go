package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
)

// try creates an order for a request.
func (d database) try(t *testing.T, request order.IdempotentRequest, number string) (order.Order, bool, error) {
	t.Helper()
	return d.CreateOrder(t.Context(), request, creation(order.Order{
		CustomerID: 1<<63 - 1, OrderNumber: number, ProductName: "꼬막무침 🍤", PaidAt: paidAt, State: order.Paid, Version: 1,
	}))
}

func TestARequestThatIsSentAgainHasItsOrderAgainAsItWas(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	request := order.IdempotentRequest{CallerID: 1, Key: "key", Fingerprint: [32]byte{1}}
	_, found, err := d.Answered(t.Context(), request)
	require.NoError(t, err)
	require.False(t, found)
	first, replayed, err := d.try(t, request, "AGAIN0000001")
	require.NoError(t, err)
	require.False(t, replayed)
	d.happens(t, first.ID, order.Cancelled, "")
	d.remove(t, first.ID)
	again, replayed, err := d.try(t, request, "AGAIN0000002")
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first, again)
	again, found, err = d.Answered(t.Context(), request)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, first, again)

	request.Fingerprint[0]++
	_, replayed, err = d.try(t, request, "AGAIN0000002")
	require.True(t, fault.Is(err, fault.KeyReused), "%v", err)
	require.False(t, replayed)
	_, _, err = d.Answered(t.Context(), request)
	require.True(t, fault.Is(err, fault.KeyReused), "%v", err)
	require.Zero(t, d.count(t))
}

func TestAChangeThatIsSentAgainIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	for event, alter := range map[string]func(*order.Order){
		orders.EventChanged:    func(o *order.Order) { o.ProductName = "changed" },
		orders.EventTransition: func(o *order.Order) { o.State = order.Preparing },
		orders.EventDeleted:    func(*order.Order) {},
	} {
		stored := d.add(t, 1, "AGAIN"+strings.ToUpper(event[:7]), "p")
		request := order.IdempotentRequest{CallerID: 1, Key: event}
		decided := 0
		decide := func(before order.Order) (order.Fact, error) {
			decided++
			fact := order.Fact{Event: event, ActorID: actor, At: paidAt, Order: before, From: before.State}
			alter(&fact.Order)
			fact.Order.Version++
			return fact, nil
		}
		first, replayed, err := d.ChangeOrder(t.Context(), request, stored.ID, decide)
		require.NoError(t, err)
		require.False(t, replayed)
		events := d.rows(t, "outbox")
		for range 2 {
			again, replayed, err := d.ChangeOrder(t.Context(), request, stored.ID, decide)
			require.NoError(t, err)
			require.True(t, replayed)
			require.Equal(t, first, again)
		}
		require.Equal(t, 1, decided)
		require.Equal(t, events, d.rows(t, "outbox"))
	}
}

func TestAFailedRequestLeavesNothing(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	request := order.IdempotentRequest{CallerID: 1, Key: "key"}
	d.add(t, 1, "TAKEN0000001", "p")
	steps, happened := d.rows(t, "order_timeline"), d.rows(t, "outbox")
	_, _, err := d.try(t, request, "TAKEN0000001")
	require.ErrorIs(t, err, order.ErrNumberTaken)
	require.Zero(t, d.rows(t, "idempotency_keys"))
	require.Equal(t, steps, d.rows(t, "order_timeline"))
	require.Equal(t, happened, d.rows(t, "outbox"))
	_, replayed, err := d.try(t, request, "FREE00000001")
	require.NoError(t, err)
	require.False(t, replayed)
}

func TestOfConcurrentRequestsWithOneKeyOneIsDone(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const rounds, rivals = 10, 4
	for round := range rounds {
		request := order.IdempotentRequest{CallerID: 1, Key: fmt.Sprint(round)}
		ids := make([]uint64, rivals)
		for _, err := range together(rivals, func(rival int) error {
			stored, _, err := d.try(t, request, fmt.Sprintf("RIVAL%03d%04d", round, rival))
			ids[rival] = stored.ID
			return err
		}) {
			require.NoError(t, err)
		}
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
	}
	require.Equal(t, rounds, d.count(t))
}
