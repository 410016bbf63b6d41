package client

import (
	"context"
	"crypto/rand"
	"iter"

	"oms.internal/libs/client/api"
)

// keyed returns the caller's Idempotency-Key, or a new one.
func keyed(key *api.IdempotencyKey) *api.IdempotencyKey {
	if key == nil {
		return new(rand.Text())
	}
	return key
}

// ListOrders returns a page of the orders that the caller may see.
func (c *Client) ListOrders(ctx context.Context, params *api.ListOrdersParams) (*Page[api.Order], error) {
	return pageOf[api.Order](c.inSession.ListOrders(ctx, params))
}

// Orders walks all orders of the list.
func (c *Client) Orders(ctx context.Context, params *api.ListOrdersParams) iter.Seq2[api.Order, error] {
	return walk(params, func(asked *api.ListOrdersParams, cursor string) (*Page[api.Order], error) {
		asked.Cursor, asked.Offset, asked.Limit = &cursor, nil, limitOf(asked.Limit)
		return c.ListOrders(ctx, asked)
	})
}

// ExportOrders returns all orders of the list as a file, for admins.
func (c *Client) ExportOrders(ctx context.Context, params *api.ExportOrdersParams) (*Export, error) {
	return exportOf(c.streaming.ExportOrders(ctx, params))
}

// CreateOrder places an order, once.
func (c *Client) CreateOrder(ctx context.Context, order api.NewOrder, params *api.CreateOrderParams) (*Order, error) {
	asked := valueOf(params)
	asked.IdempotencyKey = keyed(asked.IdempotencyKey)
	return orderOf(c.inSession.CreateOrder(ctx, &asked, order))
}

// GetOrder returns an order, or ErrNotModified.
func (c *Client) GetOrder(ctx context.Context, id api.ID, params *api.GetOrderParams) (*Order, error) {
	return orderOf(c.inSession.GetOrder(ctx, id, params))
}

// ReplaceOrder changes an order to what is given, once.
func (c *Client) ReplaceOrder(ctx context.Context, id api.ID, order api.OrderReplacement, params *api.ReplaceOrderParams) (*Order, error) {
	asked := valueOf(params)
	asked.IdempotencyKey = keyed(asked.IdempotencyKey)
	return orderOf(c.inSession.ReplaceOrder(ctx, id, &asked, order))
}

// ChangeOrder changes the fields that are given, once.
func (c *Client) ChangeOrder(ctx context.Context, id api.ID, change api.OrderChange, params *api.ChangeOrderParams) (*Order, error) {
	asked := valueOf(params)
	asked.IdempotencyKey = keyed(asked.IdempotencyKey)
	return orderOf(c.inSession.ChangeOrder(ctx, id, &asked, change))
}

// DeleteOrder removes an order, once.
func (c *Client) DeleteOrder(ctx context.Context, id api.ID, params *api.DeleteOrderParams) error {
	asked := valueOf(params)
	asked.IdempotencyKey = keyed(asked.IdempotencyKey)
	return done(c.inSession.DeleteOrder(ctx, id, &asked))
}

// TransitionOrder takes an order to its next state, once.
func (c *Client) TransitionOrder(ctx context.Context, id api.ID, next api.Transition, params *api.TransitionOrderParams) (*Order, error) {
	asked := valueOf(params)
	asked.IdempotencyKey = keyed(asked.IdempotencyKey)
	return orderOf(c.inSession.TransitionOrder(ctx, id, &asked, next))
}

// ListSteps returns a page of what happened to an order.
func (c *Client) ListSteps(ctx context.Context, id api.ID, params *api.ListStepsParams) (*Page[api.Step], error) {
	return pageOf[api.Step](c.inSession.ListSteps(ctx, id, params))
}

// Steps walks all that happened to an order, the oldest first.
func (c *Client) Steps(ctx context.Context, id api.ID, params *api.ListStepsParams) iter.Seq2[api.Step, error] {
	return walk(params, func(asked *api.ListStepsParams, cursor string) (*Page[api.Step], error) {
		asked.Cursor, asked.Offset, asked.Limit = &cursor, nil, limitOf(asked.Limit)
		return c.ListSteps(ctx, id, asked)
	})
}

// RedactNote removes the note of a step for ever, for admins. It is not sent again where it may have been done.
func (c *Client) RedactNote(ctx context.Context, id, step api.ID) error {
	return done(c.inSession.RedactNote(ctx, id, step))
}
