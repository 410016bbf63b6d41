package order_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

const (
	ownerID = ordertest.OwnerID
	otherID = ordertest.OtherID
	adminID = ordertest.AdminID
)

var (
	owner = ordertest.Owner
	other = ordertest.Other
	admin = ordertest.Admin
)

// condition is order.Condition that allows one version.
type condition uint64

func (c condition) Allows(version uint64) bool { return uint64(c) == version }

// once is a request that is not sent again.
var once order.IdempotentRequest

// unconditional is order.Condition that allows all.
type unconditional struct{}

func (unconditional) Allows(uint64) bool { return true }

type world struct{ *ordertest.World }

func newWorld() world { return world{ordertest.NewWorld()} }

// create makes an order without a key.
func (w world) create(t *testing.T, caller authn.Principal, input order.Change) (order.Order, error) {
	t.Helper()
	return w.createIn(t.Context(), t, caller, input)
}

func (w world) createIn(ctx context.Context, t *testing.T, caller authn.Principal, input order.Change) (order.Order, error) {
	t.Helper()
	created, replayed, err := w.Create(ctx, caller, input, once)
	require.False(t, replayed)
	return created, err
}
