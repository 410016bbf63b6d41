package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

func TestAnOrderIsReadBackAsItWasStored(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored := d.addOrder(t, order.Order{
		CustomerID: 1<<63 - 1, OrderNumber: "0123456789AZ", ProductName: "[신메뉴할인] 꼬막무침 🍤 %_\\'\"", PaidAt: paidAt,
	})
	require.Equal(t, stored, d.get(t, stored.ID))
}

func TestAMissingOrderIsNotFound(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	_, err := d.Order(t.Context(), 77)
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	_, _, err = d.Timeline(t.Context(), 77, listing.Request{Limit: 1})
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	_, err = d.update(t.Context(), 77, func(*order.Order) {})
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	_, _, err = d.ChangeOrder(t.Context(), unkeyed, 77, deletion)
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
}

func TestATakenNumberIsRefusedAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	first := d.add(t, 1, "TAKEN0000001", "first")
	second := d.add(t, 2, "TAKEN0000002", "second")

	_, err := d.create(t.Context(), order.Order{CustomerID: 2, OrderNumber: "TAKEN0000001", ProductName: "again", PaidAt: paidAt})
	require.ErrorIs(t, err, order.ErrNumberTaken)
	require.Equal(t, 2, d.count(t))

	_, err = d.update(t.Context(), second.ID, func(o *order.Order) {
		o.ProductName, o.OrderNumber = "changed", "TAKEN0000001"
	})
	require.ErrorIs(t, err, order.ErrNumberTaken)
	require.Equal(t, first, d.get(t, first.ID))
	require.Equal(t, second, d.get(t, second.ID))
}

func TestOfConcurrentOrdersWithOneNumberExactlyOneWins(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const rounds, rivals = 20, 4
	for round := range rounds {
		number := fmt.Sprintf("RACE%08d", round)
		requireOneWins(t, order.ErrNumberTaken, together(rivals, func(rival int) error {
			_, err := d.create(t.Context(), order.Order{CustomerID: uint64(rival + 1), OrderNumber: number, ProductName: "p", PaidAt: paidAt})
			return err
		}))
	}
	require.Equal(t, rounds, d.count(t))
}

func TestOfConcurrentChangesThatExpectTheSameVersionExactlyOneWins(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	for round := range 10 {
		stored := d.add(t, 1, fmt.Sprintf("MATCH%07d", round), "p")
		requireOneWins(t, errChanged, together(4, func(int) error {
			_, _, err := d.ChangeOrder(t.Context(), unkeyed, stored.ID, func(before order.Order) (order.Fact, error) {
				if before.Version != stored.Version {
					return order.Fact{}, errChanged
				}
				before.State, before.Version = order.Preparing, before.Version+1
				return order.Fact{Event: orders.EventTransition, ActorID: actor, At: paidAt, Order: before, From: order.Paid}, nil
			})
			return err
		}))
		require.EqualValues(t, 2, d.get(t, stored.ID).Version)
	}
}

// errChanged is what the domain says to those who come too late.
var errChanged = fault.New(fault.PreconditionFailed, "It is another version.", nil)

func requireOneWins(t *testing.T, refusal error, outcomes []error) {
	t.Helper()
	won := 0
	for _, err := range outcomes {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(t, err, refusal)
	}
	require.Equal(t, 1, won)
}

func TestAnUpdateChangesWhatItWasAskedToAndTheRestStays(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	bystander := d.add(t, 1, "BYSTANDER001", "stays")
	cases := map[string]func(*order.Order){
		"nothing":  func(*order.Order) {},
		"customer": func(o *order.Order) { o.CustomerID = 2 },
		"number":   func(o *order.Order) { o.OrderNumber = "NEW000000001" },
		"product":  func(o *order.Order) { o.ProductName = "🍣" },
		"state":    func(o *order.Order) { o.State = order.Shipped },
	}
	number := 0
	for name, change := range cases {
		number++
		before := d.add(t, 1, fmt.Sprintf("UPDATE%06d", number), "before")
		want := before
		change(&want)
		if want != before {
			want.Version++
		}
		updated, err := d.update(t.Context(), before.ID, func(o *order.Order) {
			require.Equal(t, before, *o)
			change(o)
		})
		require.NoError(t, err, name)
		require.Equal(t, want, updated, name)
		require.Equal(t, want, d.get(t, before.ID), name)
	}
	require.Equal(t, bystander, d.get(t, bystander.ID))
}

func TestConcurrentChangesOfDifferentFieldsBothSurvive(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	for round := range 20 {
		stored := d.add(t, 1, fmt.Sprintf("BEFORE%06d", round), "before")
		want := stored
		want.OrderNumber, want.ProductName, want.Version = fmt.Sprintf("AFTER%07d", round), "after", 3
		changes := []func(*order.Order){
			func(o *order.Order) { o.OrderNumber = want.OrderNumber },
			func(o *order.Order) { o.ProductName = want.ProductName },
		}
		for _, err := range together(len(changes), func(i int) error {
			_, err := d.update(t.Context(), stored.ID, changes[i])
			return err
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, want, d.get(t, stored.ID))
	}
}

func TestAForbiddenChangeWritesNothing(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored := d.add(t, 1, "FORBIDDEN001", "p")
	refused := fault.NewNotFound()
	facts := d.rows(t, "outbox")
	for _, event := range []string{orders.EventChanged, orders.EventDeleted} {
		_, _, err := d.ChangeOrder(t.Context(), unkeyed, stored.ID, func(shown order.Order) (order.Fact, error) {
			require.Equal(t, stored, shown)
			shown.ProductName = "changed"
			return order.Fact{Event: event, At: paidAt, Order: shown}, refused
		})
		require.ErrorIs(t, err, refused)
	}
	require.Equal(t, facts, d.rows(t, "outbox"))
	require.Equal(t, stored, d.get(t, stored.ID))
}

func TestADeletedOrderIsGone(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	kept, gone := d.add(t, 1, "KEPT00000001", "p"), d.add(t, 1, "GONE00000001", "p")
	d.remove(t, gone.ID)
	_, err := d.Order(d.told(t), gone.ID)
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	require.Equal(t, kept, d.get(t, kept.ID))
	require.Greater(t, d.add(t, 2, "GONE00000002", "p").ID, gone.ID)
}
