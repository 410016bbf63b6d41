package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
)

func TestEveryWriteIsAnEventAndNothingElseIs(t *testing.T) {
	t.Parallel()
	p := start(t)
	published, err := p.conn.SubscribeSync("oms.events.orders.>")
	require.NoError(t, err)
	require.NoError(t, p.conn.FlushTimeout(patience))

	path := p.as(t, alice).order(t, "EVENT0000001", "꼬막무침 🍤")
	id := p.as(t, alice).get(t, path).body["id"].(json.Number)
	p.as(t, alice).post(t, `{"order_number": "EVENT0000001", "product_name": "p"}`).requireProblem(t, http.StatusBadRequest)
	p.as(t, alice).json(t, http.MethodPatch, path, `{"product_name": "꼬막무침 🍤"}`)
	p.as(t, boss).json(t, http.MethodPatch, path, `{"product_name": "q", "customer": 2}`)
	p.as(t, boss).transition(t, path, "preparing")
	p.as(t, boss).transition(t, path, "paid").requireProblem(t, http.StatusConflict)
	require.Equal(t, http.StatusNoContent, p.as(t, boss).send(t, message{method: http.MethodDelete, path: path}).status)

	want := []struct {
		kind string
		data orders.EventData
	}{
		{orders.EventCreated, orders.EventData{Version: 1, ActorID: alice, Order: orders.Order{CustomerID: alice, ProductName: "꼬막무침 🍤", State: "paid"}}},
		{orders.EventChanged, orders.EventData{Version: 2, ActorID: boss, Order: orders.Order{CustomerID: bob, ProductName: "q", State: "paid"}}},
		{orders.EventTransition, orders.EventData{Version: 3, ActorID: boss, FromState: "paid", Order: orders.Order{CustomerID: bob, ProductName: "q", State: "preparing"}}},
		{orders.EventDeleted, orders.EventData{Version: 4, ActorID: boss, Order: orders.Order{CustomerID: bob, ProductName: "q", State: "preparing"}}},
	}
	for _, expected := range want {
		received, err := published.NextMsg(patience)
		require.NoError(t, err)
		require.Equal(t, events.SubjectOf(orders.Service, expected.kind), received.Subject)
		event := parse(t, received)
		require.Equal(t, "/oms/orders", event.Source)
		require.Equal(t, "oms.orders."+expected.kind+".v1", event.Type)
		require.Equal(t, id.String(), event.Subject)
		require.WithinDuration(t, time.Now(), event.Time, patience)
		var data orders.EventData
		require.NoError(t, event.Decode(&data))
		require.False(t, data.PaidAt.IsZero())
		expected.data.PaidAt, expected.data.OrderNumber = data.PaidAt, "EVENT0000001"
		require.NoError(t, json.Unmarshal([]byte(id), &expected.data.ID))
		require.Equal(t, expected.data, data)
	}
	require.Equal(t, len(want), p.count(t, "outbox"))
}

func parse(t *testing.T, received *nats.Msg) events.Event {
	t.Helper()
	var event events.Event
	require.NoError(t, json.Unmarshal(received.Data, &event))
	return event
}

func TestWhatWasWrittenWithoutABrokerIsPublishedLater(t *testing.T) {
	t.Parallel()
	p := start(t)
	require.NoError(t, p.Broker.Kill())
	p.as(t, alice).order(t, "LATER0000001", "p")
	require.NoError(t, p.Broker.Restart(t.Context()))
	require.Eventually(t, func() bool {
		var waiting int
		require.NoError(t, p.root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM outbox WHERE published_at IS NULL").Scan(&waiting))
		return waiting == 0
	}, patience, poll)
	require.Equal(t, 1, p.count(t, "outbox"))
}

func TestThereAreNoNewOrdersForMembersWhoWereDeleted(t *testing.T) {
	t.Parallel()
	p := start(t)
	kept := p.as(t, bob).order(t, "FORMER000001", "p")
	hers := p.as(t, alice).order(t, "FORMER000002", "p")
	first := p.as(t, bob).send(t, keyed("key", `{"product_name": "p"}`))
	noted := p.as(t, boss).json(t, http.MethodPost, kept+"/transitions", `{"to": "preparing", "note": "about Bob"}`)
	require.Equal(t, http.StatusOK, noted.status, noted.text)
	p.publish(t, events.SubjectOf(accounts.Service, accounts.EventDeleted), accounts.EventDeleted, bob)
	require.Eventually(t, func() bool { return p.count(t, "former_customers") == 1 }, patience, poll)

	// The stand-in for accounts still knows him, as accounts does to whoever asks before the deletion.
	const gone = `Invalid pk "2" - object does not exist.`
	before := p.orders(t)
	p.as(t, boss).post(t, `{"customer": 2, "product_name": "p"}`).requireField(t, "customer", gone)
	p.as(t, bob).post(t, `{"product_name": "p"}`).requireField(t, "customer", gone)
	p.as(t, boss).json(t, http.MethodPatch, hers, `{"customer": 2}`).requireField(t, "customer", gone)
	require.Equal(t, before, p.orders(t))
	require.Equal(t, json.Number("1"), p.as(t, boss).get(t, hers).body["customer"])
	// What he has stays, and stays what it is, but nobody reads what was noted about him.
	require.Equal(t, []string{"2: <nil> > paid ", "9: paid > preparing "}, p.as(t, boss).steps(t, kept))
	requireReplay(t, first, p.as(t, bob).send(t, keyed("key", `{"product_name": "p"}`)))
	require.Equal(t, http.StatusOK, p.as(t, boss).json(t, http.MethodPatch, kept, `{"product_name": "q", "customer": 2}`).status)

	// The same event again, and those of others, change nothing.
	p.publish(t, events.SubjectOf(accounts.Service, accounts.EventDeleted), accounts.EventDeleted, bob)
	p.publish(t, events.SubjectOf(accounts.Service, accounts.EventChanged), accounts.EventChanged, alice)
	p.publish(t, events.SubjectOf(accounts.Service, accounts.EventDeleted), accounts.EventDeleted, 77)
	require.Eventually(t, func() bool { return p.count(t, "inbox") == 3 }, patience, poll)
	require.Equal(t, 2, p.count(t, "former_customers"))
	require.Equal(t, http.StatusCreated, p.as(t, alice).post(t, `{"product_name": "p"}`).status)
}

// publish publishes an event as the accounts service does, and waits until the stream has it.
func (p *process) publish(t *testing.T, subject, kind string, memberID uint64) {
	t.Helper()
	stream, err := p.conn.JetStream()
	require.NoError(t, err)
	event, err := events.New(accounts.Service, kind, fmt.Sprint(memberID), time.Now(), accounts.EventData{MemberID: memberID})
	require.NoError(t, err)
	encoded, err := json.Marshal(event)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := stream.Publish(subject, encoded)
		return err == nil
	}, patience, poll)
}

func TestGatewaysAreToldWhomAWriteConcerns(t *testing.T) {
	t.Parallel()
	p := start(t)
	told, err := p.conn.SubscribeSync(consistency.SubjectWritten)
	require.NoError(t, err)
	require.NoError(t, p.conn.FlushTimeout(patience))
	next := func() consistency.Written {
		received, err := told.NextMsg(patience)
		require.NoError(t, err)
		var written consistency.Written
		require.NoError(t, json.Unmarshal(received.Data, &written))
		return written
	}
	created := p.as(t, boss).post(t, `{"customer": 2, "product_name": "p"}`)
	path := created.header.Get("Location")
	first := next()
	require.Equal(t, []uint64{boss, bob}, first.MemberIDs)
	require.Equal(t, "9,2", created.header.Get(consistency.HeaderConcerned))
	require.Equal(t, created.header.Get(consistency.Header), first.Token.String())

	changed := p.as(t, boss).json(t, http.MethodPatch, path, `{"customer": 1}`)
	second := next()
	require.Equal(t, []uint64{boss, bob, alice}, second.MemberIDs)
	require.Equal(t, changed.header.Get(consistency.Header), second.Token.String())

	// Whoever hears that an order has changed has heard of the change.
	stale := p.as(t, alice).send(t, p.as(t, alice).ifMatch(http.MethodDelete, path, tagOf(path, 1), ""))
	stale.requireProblem(t, http.StatusPreconditionFailed)
	third := next()
	require.Equal(t, []uint64{alice}, third.MemberIDs)
	require.Equal(t, stale.header.Get(consistency.Header), third.Token.String())
	require.Empty(t, p.as(t, alice).get(t, path).header.Values(consistency.Header), "reads tell nothing")
}
