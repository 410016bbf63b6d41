package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/orders/internal/order"
)

// number gives an order another number.
func (d database) number(t *testing.T, id uint64, number string) error {
	t.Helper()
	_, err := d.update(t.Context(), id, func(o *order.Order) { o.OrderNumber = number })
	return err
}

func TestANumberNamesOneOrderForEver(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	deleted, renumbered, other := d.add(t, 1, "DELETED00001", "p"), d.add(t, 1, "RENUMBERED01", "p"), d.add(t, 2, "OTHER0000001", "p")
	d.remove(t, deleted.ID)
	require.NoError(t, d.number(t, renumbered.ID, "RENUMBERED02"))
	numbers := d.rows(t, "order_numbers")
	for _, number := range []string{"DELETED00001", "RENUMBERED01", "RENUMBERED02", "OTHER0000001"} {
		_, err := d.create(t.Context(), order.Order{CustomerID: 3, OrderNumber: number, ProductName: "p", PaidAt: paidAt})
		require.ErrorIs(t, err, order.ErrNumberTaken, number)
		if number != "OTHER0000001" {
			require.ErrorIs(t, d.number(t, other.ID, number), order.ErrNumberTaken, number)
		}
	}
	require.Equal(t, other, d.get(t, other.ID))
	require.Equal(t, numbers, d.rows(t, "order_numbers"), "what is refused takes no number")
	require.Equal(t, 2, d.count(t))
}

func TestAnOrderMayHaveItsFormerNumberAgain(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored := d.add(t, 1, "FORMER000001", "p")
	for _, number := range []string{"FORMER000002", "FORMER000001", "FORMER000002"} {
		require.NoError(t, d.number(t, stored.ID, number))
		require.Equal(t, number, d.get(t, stored.ID).OrderNumber)
	}
	require.Equal(t, 2, d.rows(t, "order_numbers"))
}

// A process of the release before, which runs until all are updated, knows no numbers but those of present orders.
func TestTheNumberOfAnOrderThatAnEarlierReleaseCreatedIsKeptWhenItIsGivenUp(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	deleted, renumbered := d.add(t, 1, "EARLIER00001", "p"), d.add(t, 1, "EARLIER00002", "p")
	_, err := d.Root.ExecContext(t.Context(), "DELETE FROM order_numbers")
	require.NoError(t, err)
	d.remove(t, deleted.ID)
	require.NoError(t, d.number(t, renumbered.ID, "EARLIER00003"))
	for _, number := range []string{"EARLIER00001", "EARLIER00002", "EARLIER00003"} {
		_, err := d.create(t.Context(), order.Order{CustomerID: 3, OrderNumber: number, ProductName: "p", PaidAt: paidAt})
		require.ErrorIs(t, err, order.ErrNumberTaken, number)
	}
}

func TestOfAnOrderThatGivesANumberUpAndOneThatWantsItNeitherFailsOtherwise(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	for round := range 10 {
		number := fmt.Sprintf("GIVEUP%06d", round)
		giver := d.add(t, 1, number, "p")
		outcomes := together(2, func(i int) error {
			if i == 0 {
				return d.number(t, giver.ID, fmt.Sprintf("GIVEN0%06d", round))
			}
			_, err := d.create(t.Context(), order.Order{CustomerID: 3, OrderNumber: number, ProductName: "p", PaidAt: paidAt})
			return err
		})
		require.NoError(t, outcomes[0])
		require.ErrorIs(t, outcomes[1], order.ErrNumberTaken)
	}
	require.Equal(t, 10, d.count(t))
}

// Otherwise two writes that want one number could each have what the other one waits for.
func TestWhoeverWaitsForANumberAmongTheOrdersHasNotLockedItElsewhere(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored := d.add(t, 1, "CIRCLE000001", "p")
	creation, err := d.Root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = creation.ExecContext(t.Context(),
		"INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (2, 'CIRCLE000002', 'p', NOW())")
	require.NoError(t, err)
	refused := make(chan error, 1)
	go func() { // until it is refused: it waits for a second or so at a time
		var err error
		for t.Context().Err() == nil && !errors.Is(err, order.ErrNumberTaken) {
			err = d.number(t, stored.ID, "CIRCLE000002")
		}
		refused <- err
	}()
	d.AwaitLockWait(t)
	_, err = d.Root.ExecContext(t.Context(), "SELECT * FROM order_numbers WHERE order_number = 'CIRCLE000002' FOR UPDATE NOWAIT")
	require.NoError(t, err)
	_, err = creation.ExecContext(t.Context(), "INSERT INTO order_numbers (order_number, order_id) VALUES ('CIRCLE000002', 7777)")
	require.NoError(t, err)
	require.NoError(t, creation.Commit())
	require.ErrorIs(t, <-refused, order.ErrNumberTaken)
}
