package store_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
)

// happens changes an order's state.
func (d database) happens(t *testing.T, id uint64, to order.State, note string) order.Fact {
	t.Helper()
	var fact order.Fact
	_, _, err := d.ChangeOrder(t.Context(), unkeyed, id, func(before order.Order) (order.Fact, error) {
		fact = order.Fact{
			Event: orders.EventTransition, ActorID: actor, At: paidAt.Add(time.Hour), Order: before, From: before.State, Note: note,
		}
		fact.Order.State = to
		fact.Order.Version++
		return fact, nil
	})
	require.NoError(t, err)
	return fact
}

func TestWhatHappenedIsInTheOutboxAsItIsInTheDatabase(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored := d.add(t, 7, "OUTBOX000001", "꼬막무침 🍤")
	fact := d.happens(t, stored.ID, order.Cancelled, "note")
	var subject, content string
	require.NoError(t, d.Root.QueryRowContext(t.Context(), "SELECT subject, content FROM outbox ORDER BY id DESC LIMIT 1").Scan(&subject, &content))
	require.Equal(t, "oms.events.orders.transition.v1", subject)
	var event events.Event
	require.NoError(t, json.Unmarshal([]byte(content), &event))
	var data orders.EventData
	require.NoError(t, event.Decode(&data))
	require.Equal(t, orders.EventData{
		Order: orders.Order{
			ID: fact.Order.ID, CustomerID: 7, OrderNumber: fact.Order.OrderNumber, ProductName: fact.Order.ProductName,
			PaidAt: fact.Order.PaidAt, State: string(fact.Order.State),
		},
		Version: fact.Order.Version, FromState: string(fact.From), ActorID: fact.ActorID,
	}, data)
	require.NotContains(t, content, "note", "a note may name people, and events are kept elsewhere")
}

func TestThereIsNothingNewForAFormerCustomer(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	kept, hers := d.add(t, 7, "FORMER000001", "p"), d.add(t, 8, "FORMER000002", "p")
	for range 2 {
		require.NoError(t, d.ForgetCustomer(t.Context(), 7, paidAt))
	}
	_, err := d.create(t.Context(), order.Order{CustomerID: 7, OrderNumber: "FORMER000003", ProductName: "p", PaidAt: paidAt})
	require.Equal(t, order.NoSuchCustomer(7), err)
	_, err = d.update(t.Context(), hers.ID, func(o *order.Order) { o.CustomerID = 7 })
	require.Equal(t, order.NoSuchCustomer(7), err)
	require.Equal(t, hers, d.get(t, hers.ID))
	changed, err := d.update(t.Context(), kept.ID, func(o *order.Order) { o.ProductName = "q" })
	require.NoError(t, err)
	require.Equal(t, "q", changed.ProductName)
	require.Equal(t, 2, d.count(t))
}

// Whoever hears why a change was refused has heard how the order is, and no replica may show it an older one.
func TestARefusalSaysHowNewTheOrderIs(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored := d.add(t, 1, "REFUSED00001", "p")
	refused := fault.New(fault.PreconditionFailed, "no", nil)
	for name, refuse := range map[string]func(context.Context) error{
		"a change": func(ctx context.Context) error {
			_, _, err := d.ChangeOrder(ctx, unkeyed, stored.ID, func(order.Order) (order.Fact, error) { return order.Fact{}, refused })
			return err
		},
		"a change with a key": func(ctx context.Context) error {
			_, _, err := d.ChangeOrder(ctx, order.IdempotentRequest{Key: "key"}, stored.ID,
				func(order.Order) (order.Fact, error) { return order.Fact{}, refused })
			return err
		},
		"of what is not there": func(ctx context.Context) error {
			_, err := d.update(ctx, 77, func(*order.Order) {})
			return err
		},
	} {
		ctx := consistency.Into(t.Context(), 0)
		require.Error(t, refuse(ctx), name)
		require.NotZero(t, consistency.WrittenBy(ctx), name)
	}
	require.Equal(t, stored, d.get(t, stored.ID))
	require.Zero(t, d.rows(t, "idempotency_keys"), "a refused request may be sent again")
}
