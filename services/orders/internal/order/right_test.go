package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

func TestAnAdminRightThatIsNoMoreWritesNothingOfOthers(t *testing.T) {
	t.Parallel()
	for name, write := range writes {
		for what, now := range map[string]order.Member{"lost": {Exists: true}, "of a member that is gone": {}} {
			t.Run(name+" with a right "+what, func(t *testing.T) {
				t.Parallel()
				w := newWorld()
				w.Accounts.Members[adminID] = now
				err := write(t.Context(), t, w, unconditional{})
				require.True(t, fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden), "%v", err)
				requireUntouched(t, w)
			})
		}
	}
}

func TestNothingIsWrittenWhileAccountsDoesNotTellWhoIsAdmin(t *testing.T) {
	t.Parallel()
	for name, write := range writes {
		for _, failure := range []*fault.Error{fault.NewUnavailable(nil), fault.NewTimeout(nil)} {
			t.Run(name+" "+string(failure.Code), func(t *testing.T) {
				t.Parallel()
				w := newWorld()
				w.Accounts.Failure = failure
				require.ErrorIs(t, write(t.Context(), t, w, unconditional{}), failure)
				requireUntouched(t, w)
				require.Len(t, w.Accounts.Patience, len(w.Accounts.Asked), "each question has a deadline")
				for _, patience := range w.Accounts.Patience {
					require.LessOrEqual(t, patience, time.Second)
				}
			})
		}
	}
}

func TestMembersWritesOfTheirOwnOrdersAskNobody(t *testing.T) {
	t.Parallel()
	for name, operate := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			require.NoError(t, operate(t, w, owner, 1))
			require.Empty(t, w.Accounts.Asked)
		})
	}
}

func TestWhoIsNoLongerAdminKeepsItsOwnOrders(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Accounts.Members[adminID] = order.Member{Exists: true}
	own := ordertest.FirstOrder()
	own.CustomerID = adminID
	w.Store.Stored[1] = own
	_, _, err := w.Transition(t.Context(), admin, 1, order.Transition{To: order.Preparing}, unconditional{}, once)
	require.True(t, fault.Is(err, fault.Forbidden), "%v", err)
	_, _, err = w.Transition(t.Context(), admin, 1, order.Transition{To: order.Cancelled}, unconditional{}, once)
	require.NoError(t, err)
	w.Store.Stored[1] = own
	_, err = w.Delete(t.Context(), admin, 1, unconditional{}, once)
	require.NoError(t, err)
}

func TestCustomersChangeAndDeleteWhatIsNotYetPreparedAndAdminsAll(t *testing.T) {
	t.Parallel()
	for _, state := range order.States() {
		for who, caller := range map[string]authn.Principal{"its customer": owner, "an admin": admin} {
			t.Run(string(state)+" by "+who, func(t *testing.T) {
				t.Parallel()
				found := ordertest.FirstOrder()
				found.State = state
				for name, write := range map[string]func(w world) error{
					"update": func(w world) error {
						_, _, err := w.Update(t.Context(), caller, 1, order.Change{ProductName: new("changed")}, unconditional{}, once)
						return err
					},
					"update without a change": func(w world) error {
						_, _, err := w.Update(t.Context(), caller, 1, order.Change{ProductName: &found.ProductName}, unconditional{}, once)
						return err
					},
					"delete": func(w world) error {
						_, err := w.Delete(t.Context(), caller, 1, unconditional{}, once)
						return err
					},
				} {
					w := newWorld()
					w.Store.Stored[1] = found
					err := write(w)
					if caller.Admin || state == order.Paid {
						require.NoError(t, err, name)
						continue
					}
					require.True(t, fault.Is(err, fault.Conflict), "%s: %v", name, err)
					require.Contains(t, fault.Of(err).Detail, string(state))
					require.Equal(t, map[uint64]order.Order{1: found}, w.Store.Stored)
				}
			})
		}
	}
}

func requireUntouched(t *testing.T, w world) {
	t.Helper()
	require.Zero(t, w.Store.Writes)
	require.Equal(t, map[uint64]order.Order{1: ordertest.FirstOrder()}, w.Store.Stored)
	require.Empty(t, w.Store.Facts)
}
