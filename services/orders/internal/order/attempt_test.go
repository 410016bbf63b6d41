package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
)

func TestAnAttemptIsDoneOnceWhateverHappenedSince(t *testing.T) {
	t.Parallel()
	input := order.Change{CustomerID: new(uint64(otherID)), ProductName: new("p")}
	attempt := order.Attempt{CallerID: adminID, Key: "key", Fingerprint: [32]byte{1}}
	w := newWorld(t)
	first, replayed, err := w.Create(t.Context(), admin, input, attempt)
	require.NoError(t, err)
	require.False(t, replayed)
	for name, happens := range map[string]func(){
		"nothing":                 func() {},
		"accounts is away":        func() { w.accounts.failure = fault.NewUnavailable(nil) },
		"the customer is deleted": func() { w.accounts.failure = nil; delete(w.accounts.members, otherID) },
		"the order is deleted":    func() { delete(w.store.orders, first.ID) },
		"no numbers are left":     func() { w.numbers = nil },
	} {
		happens()
		again, replayed, err := w.Create(t.Context(), admin, input, attempt)
		require.NoError(t, err, name)
		require.True(t, replayed, name)
		require.Equal(t, first, again, name)
	}
	require.Len(t, w.store.facts, 1)

	// What was refused is not remembered: it may succeed later.
	refused := order.Attempt{CallerID: adminID, Key: "another key"}
	w.accounts.failure = fault.NewUnavailable(nil)
	_, _, err = w.Create(t.Context(), admin, input, refused)
	require.ErrorIs(t, err, w.accounts.failure)
	w.accounts.failure, w.accounts.members[otherID], w.numbers = nil, order.Member{Exists: true}, []string{"GENERATED009"}
	_, replayed, err = w.Create(t.Context(), admin, input, refused)
	require.NoError(t, err)
	require.False(t, replayed)
}
