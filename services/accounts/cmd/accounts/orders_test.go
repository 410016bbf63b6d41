package main

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/natsx"
)

// serveLastOrders answers for the orders service until the test ends. has says who has an order.
func (s *surroundings) serveLastOrders(t *testing.T, has func(customerID uint64) bool) {
	t.Helper()
	s.serveOrders(t, has, func(uint64) {})
}

// serveOrders also shows the tokens that come with the requests.
func (s *surroundings) serveOrders(t *testing.T, has func(customerID uint64) bool, after func(token uint64)) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	endpoint := natsx.NewEndpoint("last", orders.SubjectLast, func(_ context.Context, request orders.LastRequest) (orders.LastReply, error) {
		var reply orders.LastReply
		after(request.After)
		for _, id := range request.CustomerIDs {
			if !has(id) {
				continue
			}
			reply.Orders = append(reply.Orders, orders.Order{
				ID: 1000 + id, CustomerID: id, OrderNumber: "00000000ABCD", ProductName: "꼬막무침 🍤",
				PaidAt: time.Date(2026, 11, 23, 6, 36, 30, 511840000, time.UTC), State: "paid",
			})
		}
		return reply, nil
	})
	go func() { ended <- natsx.Serve(ctx, s.conn, orders.Service, discard, endpoint) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := natsx.Call[orders.LastReply](ctx, s.conn, orders.SubjectLast, orders.LastRequest{})
		return err == nil
	}, time.Minute, 5*time.Millisecond)
}

// listen collects what is published on a subject from now on.
func (s *surroundings) listen(t *testing.T, subject string) *nats.Subscription {
	t.Helper()
	subscription, err := s.conn.SubscribeSync(subject)
	require.NoError(t, err)
	require.NoError(t, s.conn.Flush())
	return subscription
}

// heard returns how many messages have come, those on their way included.
func (s *surroundings) heard(t *testing.T, subscription *nats.Subscription) int {
	t.Helper()
	require.NoError(t, s.conn.Flush())
	count, _, err := subscription.Pending()
	require.NoError(t, err)
	return count
}
