package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
)

func TestThereAreNoNewOrdersForAMemberWhoseDeletionAccountsPublishes(t *testing.T) {
	t.Parallel()
	p := start(t)
	hers := p.as(t, alice).order(t, "FORMER000001")
	p.publish(t, accounts.EventChanged, alice)
	p.publish(t, accounts.EventDeleted, bob)
	require.Eventually(t, func() bool { return p.count(t, "former_customers") == 1 }, patience, poll)

	// The stand-in for accounts still knows him, as accounts does to whoever asks before the deletion.
	for member, request := range map[uint64][3]string{
		bob: {http.MethodPost, "/orders/", `{"product_name": "p"}`}, boss: {http.MethodPatch, hers, `{"customer": 2}`},
	} {
		got := p.as(t, member).send(t, request[0], request[1], request[2])
		require.Equal(t, http.StatusBadRequest, got.status)
		require.Equal(t, []any{`Invalid pk "2" - object does not exist.`}, got.body["customer"])
	}
	p.as(t, alice).order(t, "FORMER000002")
}

func TestAdminsLooksAtOrdersOfOthersArePublishedForAccountsAlone(t *testing.T) {
	t.Parallel()
	p := start(t)
	hers := p.as(t, alice).order(t, "LOOKEDAT0001")
	next := p.published(t, events.AuditSubjectOf(orders.Service))
	public, err := p.conn.SubscribeSync("oms.events.>")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, p.as(t, alice).send(t, http.MethodGet, hers, "").status)
	for _, path := range []string{hers, hers, "/orders/?state=paid"} {
		require.Equal(t, http.StatusOK, p.as(t, boss).send(t, http.MethodGet, path, "").status)
	}
	require.NoError(t, p.Stop()) // which tells what is left of a series; the next process publishes that
	p.run(t)
	counts, seen := map[string]int{}, map[string]bool{}
	for counts["order_read"] < 2 || counts["order_list"] < 1 {
		var event events.Event
		if next(&event); seen[event.ID] {
			continue
		}
		seen[event.ID] = true
		var data orders.AuditData
		require.NoError(t, event.Decode(&data))
		require.Equal(t, []any{uint64(boss), "success"}, []any{data.Actor, data.Outcome})
		counts[data.Action] += data.Count
	}
	require.Equal(t, map[string]int{"order_read": 2, "order_list": 1}, counts)
	p.as(t, alice).order(t, "LOOKEDAT0002")
	for order := ""; order != "LOOKEDAT0002"; {
		message, err := public.NextMsg(patience)
		require.NoError(t, err)
		var event struct {
			Data orders.EventData
		}
		require.NoError(t, json.Unmarshal(message.Data, &event))
		require.NotZero(t, event.Data.ID, "it is about an order")
		order = event.Data.OrderNumber
	}
}

// publish publishes an event as the accounts service does, and waits until the stream has it.
func (p *process) publish(t *testing.T, kind string, memberID uint64) {
	t.Helper()
	stream, err := p.conn.JetStream()
	require.NoError(t, err)
	event, err := events.New(accounts.Service, kind, fmt.Sprint(memberID), time.Now(), accounts.EventData{MemberID: memberID})
	require.NoError(t, err)
	encoded, err := json.Marshal(event)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := stream.Publish(events.SubjectOf(accounts.Service, kind), encoded)
		return err == nil
	}, patience, poll)
}
