package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// timeline is that of an order, with ids that are there but differ from test to test.
func (d database) timeline(t *testing.T, id uint64) (steps []order.Step, customerID uint64) {
	t.Helper()
	page, customerID, err := d.Timeline(d.told(t), id, listing.Request{Limit: 100})
	require.NoError(t, err)
	require.Equal(t, len(page.Values), page.Count)
	steps = page.Values
	var last uint64
	for i := range steps {
		require.Greater(t, steps[i].ID, last)
		last, steps[i].ID = steps[i].ID, 0
	}
	return steps, customerID
}

func TestATimelineIsReadBackAsItWasWrittenAndOutlivesItsOrder(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored := d.add(t, 7, "LIFE00000001", "p")
	d.add(t, 8, "LIFE00000002", "another one")
	const note = "배송 🚚 '\"\\"
	d.happens(t, stored.ID, order.Preparing, note)
	changes := []order.FieldChange{
		{Field: "customer", From: "7", To: "20"}, {Field: "product_name", From: "p", To: "배송 🚚 '\"\\<&"},
	}
	_, _, err := d.ChangeOrder(t.Context(), unkeyed, stored.ID, func(before order.Order) (order.Fact, error) {
		before.CustomerID, before.Version = 20, 3
		return order.Fact{Event: orders.EventChanged, ActorID: actor, At: paidAt, Order: before, Changes: changes}, nil
	})
	require.NoError(t, err)
	want := []order.Step{
		{At: paidAt, ActorID: actor, CustomerID: 7, To: order.Paid},
		{At: paidAt.Add(time.Hour), ActorID: actor, CustomerID: 7, From: order.Paid, To: order.Preparing, Note: note},
		{At: paidAt, ActorID: actor, CustomerID: 20, From: order.Preparing, To: order.Preparing, Changes: changes},
	}
	steps, customerID := d.timeline(t, stored.ID)
	require.Equal(t, want, steps)
	require.EqualValues(t, 20, customerID, "it is the present customer's")

	d.remove(t, stored.ID)
	want = append(want, order.Step{At: paidAt, ActorID: actor, CustomerID: 20, From: order.Preparing, To: order.Deleted})
	steps, customerID = d.timeline(t, stored.ID)
	require.Equal(t, want, steps)
	require.EqualValues(t, 20, customerID)
}

func TestAnOrderThatIsOlderThanTimelinesHasAnEmptyOneUntilSomethingHappens(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	_, err := d.Root.ExecContext(t.Context(),
		"INSERT INTO orders (id, customer_id, order_number, product_name, paid_at) VALUES (77, 7, 'OLD000000001', 'p', NOW())")
	require.NoError(t, err)
	steps, customerID := d.timeline(t, 77)
	require.Empty(t, steps)
	require.EqualValues(t, 7, customerID)
	require.Equal(t, order.Paid, d.get(t, 77).State)
	d.happens(t, 77, order.Cancelled, "")
	steps, _ = d.timeline(t, 77)
	require.Len(t, steps, 1)
	require.Equal(t, order.Cancelled, steps[0].To)
}

func TestALongTimelineIsReadInPagesThatLoseNothing(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored := d.add(t, 7, "LONG00000001", "p")
	for i := range 1000 {
		_, err := d.Root.ExecContext(t.Context(),
			"INSERT INTO order_timeline (order_id, customer_id, at, actor_id, from_state, to_state, note) VALUES (?, 7, ?, 9, 'paid', 'paid', '')",
			stored.ID+uint64(i%2), paidAt)
		require.NoError(t, err)
	}
	d.remove(t, stored.ID)
	const steps = 502
	for name, request := range map[string]listing.Request{"by cursor": {Limit: 100, Cursor: &listing.Cursor{}}, "by offset": {Limit: 100}} {
		seen := map[uint64]bool{}
		for {
			page, customerID, err := d.Timeline(d.told(t), stored.ID, request)
			require.NoError(t, err, name)
			require.EqualValues(t, 7, customerID)
			for _, step := range page.Values {
				seen[step.ID] = true
			}
			if len(seen) == steps {
				require.Equal(t, order.Deleted, page.Values[len(page.Values)-1].To)
				break
			}
			require.Len(t, page.Values, 100)
			if request.Offset += 100; request.Cursor != nil {
				request.Offset, request.Cursor = 0, page.Next
			} else {
				require.Equal(t, steps, page.Count)
			}
		}
	}
}

// notes are the notes of all steps, with a mark behind those that were redacted.
func (d database) notes(t *testing.T, id uint64) (notes []string) {
	t.Helper()
	steps, _ := d.timeline(t, id)
	for _, step := range steps {
		if step.Redacted {
			step.Note += "redacted"
		}
		notes = append(notes, step.Note)
	}
	return notes
}

func TestARedactedNoteIsGoneAndTheStepStays(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	stored, other := d.add(t, 7, "REDACT000001", "p"), d.add(t, 7, "REDACT000002", "p")
	d.happens(t, stored.ID, order.Preparing, "first")
	d.happens(t, stored.ID, order.Shipped, "second")
	page, _, err := d.Timeline(d.told(t), stored.ID, listing.Request{Limit: 10})
	require.NoError(t, err)
	for range 2 {
		customerID, err := d.RedactNote(t.Context(), stored.ID, page.Values[1].ID, actor)
		require.NoError(t, err)
		require.EqualValues(t, 7, customerID)
	}
	_, err = d.RedactNote(t.Context(), stored.ID, page.Values[0].ID, actor)
	require.NoError(t, err, "without a note")
	require.Equal(t, []string{"", "redacted", "second"}, d.notes(t, stored.ID))
	require.Equal(t, 1, d.rows(t, "order_timeline WHERE redacted_by = 9"))
	for _, missing := range [][2]uint64{{other.ID, page.Values[1].ID}, {stored.ID, 7777}, {7777, page.Values[1].ID}} {
		_, err = d.RedactNote(t.Context(), missing[0], missing[1], actor)
		require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	}
}

func TestTheNotesAboutADeletedMemberAreRedactedInSmallTransactions(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	his, hers := d.add(t, 7, "FORGET000001", "p"), d.add(t, 8, "FORGET000002", "p")
	d.happens(t, his.ID, order.Preparing, "about him")
	d.happens(t, hers.ID, order.Preparing, "about her")
	// An order that he gave to her: what was noted before is about him.
	given := d.add(t, 7, "FORGET000003", "p")
	d.happens(t, given.ID, order.Preparing, "about him")
	_, err := d.update(t.Context(), given.ID, func(o *order.Order) { o.CustomerID = 8 })
	require.NoError(t, err)
	d.happens(t, given.ID, order.Shipped, "about her")
	_, err = d.Root.ExecContext(t.Context(), `INSERT INTO order_timeline (order_id, customer_id, at, actor_id, to_state, note)
		WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000) SELECT 7777, 7, NOW(), 9, 'paid', 'many' FROM numbers`)
	require.NoError(t, err)
	for range 2 { // an event may come again
		require.NoError(t, d.ForgetCustomer(t.Context(), 7, paidAt))
	}
	require.Zero(t, d.rows(t, "order_timeline WHERE customer_id = 7 AND note <> ''"))
	require.Equal(t, 1002, d.rows(t, "order_timeline WHERE customer_id = 7 AND redacted_by = 0"))
	require.Equal(t, []string{"", "redacted"}, d.notes(t, his.ID))
	require.Equal(t, []string{"", "about her"}, d.notes(t, hers.ID))
	require.Equal(t, []string{"", "redacted", "", "about her"}, d.notes(t, given.ID))
}

// note cancels an order, with a note.
func (d database) note(t *testing.T, stored order.Order, note string) error {
	t.Helper()
	_, _, err := d.ChangeOrder(t.Context(), unkeyed, stored.ID, func(before order.Order) (order.Fact, error) {
		fact := order.Fact{Event: orders.EventTransition, ActorID: actor, At: paidAt, Order: before, From: before.State, Note: note}
		fact.Order.State, fact.Order.Version = order.Cancelled, before.Version+1
		return fact, nil
	})
	return err
}

func TestNobodyWritesANoteAboutAMemberWhoseDeletionIsBeingHeardOf(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	his := d.add(t, 7, "FORGET000001", "p")
	deletion, err := d.Root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = deletion.ExecContext(t.Context(), "INSERT INTO former_customers (customer_id, deleted_at) VALUES (7, NOW())")
	require.NoError(t, err)
	require.Error(t, d.note(t, his, "about him"), "it waits, and gives up")
	require.NoError(t, deletion.Commit())
	require.ErrorIs(t, d.note(t, his, "about him"), order.ErrNoteAboutFormerCustomer)
	require.Equal(t, his, d.get(t, his.ID))
	require.NoError(t, d.note(t, his, ""))
}

func TestAnOrderThatIsBeingPlacedKeepsNoDeletionFromBeingHeardOf(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	rival, err := d.Root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = rival.ExecContext(t.Context(),
		"INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (2, 'WAITING00001', 'p', NOW())")
	require.NoError(t, err)
	placed := make(chan error, 1)
	go func() { // it waits for the number for a second at a time
		var err error
		for err = fault.NewUnavailable(nil); fault.Is(err, fault.Unavailable); {
			_, err = d.create(t.Context(), order.Order{CustomerID: 9, OrderNumber: "WAITING00001", ProductName: "p", PaidAt: paidAt})
		}
		placed <- err
	}()
	d.AwaitLockWait(t)
	require.NoError(t, d.ForgetCustomer(t.Context(), 7, paidAt))
	require.NoError(t, rival.Rollback())
	require.NoError(t, <-placed)
}

func TestANoteThatIsBeingWrittenWhenAMemberIsDeletedGoesToo(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	his := d.add(t, 7, "FORGET000001", "p")
	writing, err := d.Root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for _, statement := range []string{
		"SELECT COUNT(*) FROM former_customers WHERE customer_id = 7 LOCK IN SHARE MODE",
		fmt.Sprintf("INSERT INTO order_timeline (order_id, customer_id, at, actor_id, to_state, note) VALUES (%d, 7, NOW(), 9, 'paid', 'about him')", his.ID),
	} {
		_, err = writing.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.Error(t, d.ForgetCustomer(t.Context(), 7, paidAt), "it waits, and gives up; the event comes again")
	require.NoError(t, writing.Commit())
	require.NoError(t, d.ForgetCustomer(t.Context(), 7, paidAt))
	require.Equal(t, []string{"", "redacted"}, d.notes(t, his.ID))
}
