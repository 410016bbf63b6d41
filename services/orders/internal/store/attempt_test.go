package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
)

func (d database) try(t *testing.T, attempt order.Attempt, number string) (order.Order, bool, error) {
	t.Helper()
	return d.CreateOrder(t.Context(), attempt, func() (order.Fact, error) {
		return order.Fact{Event: orders.EventCreated, ActorID: actor, At: paidAt, Order: order.Order{
			CustomerID: 1<<63 - 1, OrderNumber: number, ProductName: "꼬막무침 🍤", PaidAt: paidAt, State: order.Paid, Version: 1,
		}}, nil
	})
}

func TestAnAttemptHasItsOrderAgainAsItWas(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	attempt := order.Attempt{CallerID: 1, Key: "key", Fingerprint: [32]byte{1}}
	first, replayed, err := d.try(t, attempt, "ATTEMPT00001")
	require.NoError(t, err)
	require.False(t, replayed)
	d.happens(t, first.ID, order.Cancelled, "")
	d.remove(t, first.ID)
	again, replayed, err := d.try(t, attempt, "ATTEMPT00002")
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first, again)

	attempt.Fingerprint[0]++
	_, replayed, err = d.try(t, attempt, "ATTEMPT00002")
	require.True(t, fault.Is(err, fault.KeyReused), "%v", err)
	require.False(t, replayed)
	require.Zero(t, d.count(t))
}

func TestAFailedAttemptLeavesNothing(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	attempt := order.Attempt{CallerID: 1, Key: "key"}
	d.add(t, 1, "TAKEN0000001", "p")
	steps, happened := d.rows(t, "order_timeline"), d.rows(t, "outbox")
	refused := fault.NewForbidden()
	_, _, err := d.CreateOrder(t.Context(), attempt, func() (order.Fact, error) { return order.Fact{}, refused })
	require.ErrorIs(t, err, refused)
	_, _, err = d.try(t, attempt, "TAKEN0000001")
	require.ErrorIs(t, err, order.ErrNumberTaken)
	require.Zero(t, d.rows(t, "idempotency_keys"))
	require.Equal(t, steps, d.rows(t, "order_timeline"))
	require.Equal(t, happened, d.rows(t, "outbox"))
	_, replayed, err := d.try(t, attempt, "FREE00000001")
	require.NoError(t, err)
	require.False(t, replayed)
}

func TestOfConcurrentAttemptsOneIsDone(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const rounds, rivals = 10, 4
	for round := range rounds {
		attempt := order.Attempt{CallerID: 1, Key: fmt.Sprint(round)}
		var done sync.WaitGroup
		ids := make([]uint64, rivals)
		for rival := range rivals {
			done.Go(func() {
				stored, _, err := d.try(t, attempt, fmt.Sprintf("RIVAL%03d%04d", round, rival))
				if err != nil {
					t.Error(err)
				}
				ids[rival] = stored.ID
			})
		}
		done.Wait()
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
	}
	require.Equal(t, rounds, d.count(t))
}
