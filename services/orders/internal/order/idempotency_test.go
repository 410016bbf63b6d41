package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
)

func TestAnOrderIsCreatedOncePerKeyWhateverHappenedSince(t *testing.T) {
	t.Parallel()
	input := order.Change{CustomerID: new(uint64(otherID)), ProductName: new("p")}
	request := order.IdempotentRequest{CallerID: adminID, Key: "key", Fingerprint: [32]byte{1}}
	w := newWorld()
	first, replayed, err := w.Create(t.Context(), admin, input, request)
	require.NoError(t, err)
	require.False(t, replayed)
	for name, happens := range map[string]func(){
		"nothing":                 func() {},
		"accounts is away":        func() { w.Accounts.Failure = fault.NewUnavailable(nil) },
		"the customer is deleted": func() { w.Accounts.Failure = nil; delete(w.Accounts.Members, otherID) },
		"the order is deleted":    func() { delete(w.Store.Stored, first.ID) },
		"no numbers are left":     func() { w.Numbers = nil },
	} {
		happens()
		again, replayed, err := w.Create(t.Context(), admin, input, request)
		require.NoError(t, err, name)
		require.True(t, replayed, name)
		require.Equal(t, first, again, name)
	}
	require.Len(t, w.Store.Facts, 1)

	// What was refused is not remembered: it may succeed later.
	refused := order.IdempotentRequest{CallerID: adminID, Key: "another key"}
	w.Accounts.Failure = fault.NewUnavailable(nil)
	_, _, err = w.Create(t.Context(), admin, input, refused)
	require.ErrorIs(t, err, w.Accounts.Failure)
	w.Accounts.Failure, w.Accounts.Members[otherID], w.Numbers = nil, order.Member{Exists: true}, []string{"GENERATED009"}
	_, replayed, err = w.Create(t.Context(), admin, input, refused)
	require.NoError(t, err)
	require.False(t, replayed)
}

func TestAChangeIsMadeOncePerKeyWhateverHappenedSince(t *testing.T) {
	t.Parallel()
	request := order.IdempotentRequest{CallerID: adminID, Key: "key", Fingerprint: [32]byte{1}}
	for name, write := range map[string]func(*testing.T, world) (order.Order, bool, error){
		"update": func(t *testing.T, w world) (order.Order, bool, error) {
			return w.Update(t.Context(), admin, 1, order.Change{CustomerID: new(uint64(otherID))}, condition(1), request)
		},
		"transition": func(t *testing.T, w world) (order.Order, bool, error) {
			return w.Transition(t.Context(), admin, 1, order.Transition{To: order.Preparing}, condition(1), request)
		},
		"delete": func(t *testing.T, w world) (order.Order, bool, error) {
			replayed, err := w.Delete(t.Context(), admin, 1, condition(1), request)
			return order.Order{}, replayed, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			first, replayed, err := write(t, w)
			require.NoError(t, err)
			require.False(t, replayed)
			for _, happens := range []func(){
				func() {},
				func() { w.Accounts.Failure = fault.NewUnavailable(nil) },
				func() { w.Accounts.Failure = nil; w.Accounts.Members[adminID] = order.Member{} },
				func() { delete(w.Store.Stored, 1) },
			} {
				happens()
				again, replayed, err := write(t, w)
				require.NoError(t, err)
				require.True(t, replayed)
				require.Equal(t, first, again)
			}
			require.Len(t, w.Store.Facts, 1)
		})
	}
}

func TestAnOrderThatIsOutOfSightIsAnsweredAgainToWhomItWasAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld()
	request := order.IdempotentRequest{CallerID: ownerID, Key: "key"}
	cancel := func(request order.IdempotentRequest) (order.Order, bool, error) {
		return w.Transition(t.Context(), owner, 1, order.Transition{To: order.Cancelled}, unconditional{}, request)
	}
	first, _, err := cancel(request)
	require.NoError(t, err)
	given := first
	given.CustomerID = otherID
	w.Store.Stored[1] = given
	again, replayed, err := cancel(request)
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first, again)
	for _, another := range []order.IdempotentRequest{once, {CallerID: ownerID, Key: "another key"}, {CallerID: otherID, Key: "key"}} {
		_, _, err = cancel(another)
		require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	}
}
