package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// published subscribes to a subject and returns what reads its next message.
func (p *process) published(t *testing.T, subject string) func(message any) (subject string) {
	t.Helper()
	subscription, err := p.conn.SubscribeSync(subject)
	require.NoError(t, err)
	require.NoError(t, p.conn.FlushTimeout(patience))
	return func(message any) string {
		t.Helper()
		var received *nats.Msg
		received, err = subscription.NextMsg(patience)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(received.Data, message))
		return received.Subject
	}
}

// last asks for last orders as the accounts service does.
func (p *process) last(t *testing.T, request any) (orders.LastReply, error) {
	t.Helper()
	return call[orders.LastReply](t, p.conn, orders.SubjectLast, request)
}

// awaitNATS waits until the process serves requests over NATS.
func (p *process) awaitNATS(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := p.last(t, orders.LastRequest{})
		return err == nil
	}, patience, poll)
}

func TestAnOrderReachesAllWhoAreToHearOfItAndSurvivesARestart(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.awaitNATS(t)
	nextEvent, nextWritten := p.published(t, "oms.events.orders.>"), p.published(t, consistency.SubjectWritten)
	admin := p.as(t, boss)
	created := admin.send(t, http.MethodPost, "/orders/", orderForBob, httpx.HeaderIdempotencyKey, "key")
	require.Equal(t, http.StatusCreated, created.status, created.body)

	var written consistency.Written
	nextWritten(&written)
	require.Equal(t, []uint64{boss, bob}, written.MemberIDs)
	require.Equal(t, created.header.Get(consistency.Header), written.Token.String())

	var event events.Event
	require.Equal(t, events.SubjectOf(orders.Service, orders.EventCreated), nextEvent(&event))
	require.Equal(t, []string{"/oms/orders", "oms.orders.created.v1"}, []string{event.Source, event.Type})
	var data orders.EventData
	require.NoError(t, event.Decode(&data))
	require.Equal(t, created.body["order_number"], data.OrderNumber)

	reply, err := p.last(t, orders.LastRequest{CustomerIDs: []uint64{alice, bob}, After: uint64(consistency.Newest)})
	require.NoError(t, err)
	require.Equal(t, []orders.Order{data.Order}, reply.Orders)
	found := admin.send(t, http.MethodGet, "/orders/?search=bob@oms.test", "")
	require.Empty(t, found.header.Values("Degraded"))
	require.Equal(t, []any{created.body}, found.body["results"], "its customer is known to accounts")

	require.NoError(t, p.Stop())
	p.run(t)
	again := p.as(t, boss).send(t, http.MethodPost, "/orders/", orderForBob, httpx.HeaderIdempotencyKey, "key")
	require.Equal(t, "true", again.header.Get(httpx.HeaderIdempotencyReplayed))
	require.Equal(t, created.body, again.body)
	require.Equal(t, created.body, p.as(t, bob).send(t, http.MethodGet, created.header.Get("Location"), "").body)
}

func TestLastOrdersOfTooManyOrUnreadableCustomersAreRefusedOverNATS(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.awaitNATS(t)
	for name, request := range map[string]any{
		"too many": orders.LastRequest{CustomerIDs: make([]uint64, orders.MaxCustomers+1)}, "a text": "text", "a list": []int{1},
		"a negative one": map[string]any{"customer_ids": []any{-1}}, "no list": map[string]any{"customer_ids": "1"},
	} {
		_, err := p.last(t, request)
		require.True(t, fault.Is(err, fault.Malformed), "%s: %v", name, err)
	}
	none, err := p.last(t, orders.LastRequest{CustomerIDs: make([]uint64, orders.MaxCustomers)})
	require.NoError(t, err)
	require.NotNil(t, none.Orders)
	require.Empty(t, none.Orders)
}
