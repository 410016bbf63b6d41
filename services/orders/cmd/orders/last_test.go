package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
)

// last asks for last orders as the accounts service does, on behalf of someone who was told all that is covered by after.
func (p *process) last(t *testing.T, after consistency.Token, customerIDs ...uint64) (orders.LastReply, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request := orders.LastRequest{CustomerIDs: customerIDs, After: uint64(after)}
	return natsx.Call[orders.LastReply](ctx, p.conn, orders.SubjectLast, request)
}

// awaitNATS waits until the process serves requests over NATS.
func (p *process) awaitNATS(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := p.last(t, 0)
		return err == nil
	}, patience, poll)
}

func manyCustomers(count int) []uint64 {
	ids := make([]uint64, count)
	for i := range ids {
		ids[i] = uint64(i) + 1
	}
	return ids
}

func TestLastOrdersOverNATS(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.awaitNATS(t)
	began := time.Now().Truncate(time.Microsecond)
	p.as(t, alice).order(t, "AAAA00000001", "first")
	p.as(t, alice).order(t, "AAAA00000002", "꼬막무침 🍤")
	path := p.as(t, alice).order(t, "AAAA00000003", "last")
	p.as(t, bob).order(t, "BBBB00000001", "only")
	gone := p.as(t, alice).send(t, message{method: "DELETE", path: path})
	require.Equal(t, 204, gone.status)

	reply, err := p.last(t, consistency.Newest, manyCustomers(orders.MaxCustomers)...)
	require.NoError(t, err)
	require.Len(t, reply.Orders, 2)
	byCustomer := map[uint64]orders.Order{}
	for _, found := range reply.Orders {
		require.NotZero(t, found.ID)
		require.False(t, found.PaidAt.Before(began))
		require.False(t, found.PaidAt.After(time.Now()))
		byCustomer[found.CustomerID] = found
	}
	require.Equal(t, "AAAA00000002", byCustomer[alice].OrderNumber)
	require.Equal(t, "꼬막무침 🍤", byCustomer[alice].ProductName)
	require.Equal(t, "BBBB00000001", byCustomer[bob].OrderNumber)

	for name, customerIDs := range map[string][]uint64{"nobody": nil, "a customer without orders": {77}} {
		reply, err := p.last(t, consistency.Newest, customerIDs...)
		require.NoError(t, err, name)
		require.NotNil(t, reply.Orders, name)
		require.Empty(t, reply.Orders, name)
	}
}

func TestTooManyOrUnreadableCustomersAreRefusedOverNATS(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.awaitNATS(t)
	_, err := p.last(t, consistency.Newest, manyCustomers(orders.MaxCustomers+1)...)
	require.True(t, fault.Is(err, fault.Malformed), "%v", err)
	for _, request := range []any{"text", []int{1}, map[string]any{"customer_ids": []any{-1}}, map[string]any{"customer_ids": fmt.Sprint(1)}} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := natsx.Call[orders.LastReply](ctx, p.conn, orders.SubjectLast, request)
		cancel()
		require.True(t, fault.Is(err, fault.Malformed), "%v: %v", request, err)
		require.NotRegexp(t, internals, fault.Of(err).Detail)
	}
}
