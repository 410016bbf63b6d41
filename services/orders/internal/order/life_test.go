package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

// legal is the whole table: from the row's state to the column's.
var legal = map[order.State]map[order.State]bool{
	order.Paid:      {order.Preparing: true, order.Cancelled: true},
	order.Preparing: {order.Shipped: true, order.Cancelled: true},
	order.Shipped:   {order.Delivered: true},
	order.Delivered: {},
	order.Cancelled: {},
}

func TestWhoMayBringAnOrderFromWhichStateToWhich(t *testing.T) {
	t.Parallel()
	targets := append(order.States(), order.Deleted, "", "Paid")
	for _, from := range order.States() {
		for _, to := range targets {
			for who, caller := range map[string]authn.Principal{"its customer": owner, "an admin": admin} {
				t.Run(string(from)+" to "+string(to)+" by "+who, func(t *testing.T) {
					t.Parallel()
					w := newWorld()
					before := ordertest.FirstOrder()
					before.State = from
					w.Store.Stored[1] = before
					changed, _, err := w.Transition(t.Context(), caller, 1, order.Transition{To: to, Note: "because"}, unconditional{}, once)
					switch {
					case !caller.Admin && to != order.Cancelled:
						require.True(t, fault.Is(err, fault.Forbidden), "%v", err)
					case !legal[from][to]:
						require.True(t, fault.Is(err, fault.Conflict), "%v", err)
						require.Contains(t, fault.Of(err).Detail, string(from))
					default:
						require.NoError(t, err)
						after := before
						after.State, after.Version = to, 2
						require.Equal(t, after, changed)
						require.Equal(t, after, w.Store.Stored[1])
						require.Equal(t, []order.Fact{{
							Event: orders.EventTransition, ActorID: caller.MemberID, At: microseconds(ordertest.Now), Order: after, From: from, Note: "because",
						}}, w.Store.Facts)
						return
					}
					require.Equal(t, before, w.Store.Stored[1])
					require.Empty(t, w.Store.Facts)
				})
			}
		}
	}
}

func microseconds(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

func TestEachWriteIsAFactAndAStepOfTheOrdersTimeline(t *testing.T) {
	t.Parallel()
	at := microseconds(ordertest.Now)
	given := []order.FieldChange{{Field: "customer", From: "1", To: "2"}}
	cases := map[string]struct {
		event string
		step  order.Step
	}{
		"create":     {orders.EventCreated, order.Step{CustomerID: otherID, To: order.Paid}},
		"update":     {orders.EventChanged, order.Step{CustomerID: otherID, From: order.Paid, To: order.Paid, Changes: given}},
		"transition": {orders.EventTransition, order.Step{CustomerID: ownerID, From: order.Paid, To: order.Preparing}},
		"delete":     {orders.EventDeleted, order.Step{CustomerID: ownerID, From: order.Paid, To: order.Deleted}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			require.NoError(t, writes[name](t.Context(), t, w, unconditional{}))
			require.Len(t, w.Store.Facts, 1)
			fact := w.Store.Facts[0]
			require.Equal(t, c.event, fact.Event)
			require.Equal(t, uint64(adminID), fact.ActorID)
			require.Equal(t, at, fact.At)
			if name != "delete" {
				require.Equal(t, w.Store.Stored[fact.Order.ID], fact.Order)
			}
			c.step.At, c.step.ActorID = at, adminID
			require.Equal(t, c.step, fact.Step())
		})
	}
}

func TestWhatChangesNothingIsNoFact(t *testing.T) {
	t.Parallel()
	w := newWorld()
	changed, _, err := w.Update(t.Context(), owner, 1, order.Change{
		CustomerID: new(uint64(ownerID)), OrderNumber: new("FIRST0000001"), ProductName: new("꼬막무침 🍤"),
	}, unconditional{}, once)
	require.NoError(t, err)
	require.Equal(t, ordertest.FirstOrder(), changed)
	require.Zero(t, w.Store.Writes)
}
