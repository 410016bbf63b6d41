package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/service/servicetest"
)

// audited publishes an audit event as the orders service does, as often as times says.
func (p *process) audited(t *testing.T, times int, at time.Time, data orders.AuditData) {
	t.Helper()
	event, err := events.NewAudit(orders.Service, at, data)
	require.NoError(t, err)
	for range times {
		p.publish(t, events.AuditSubjectOf(orders.Service), event)
	}
}

func (p *process) publish(t *testing.T, subject string, event events.Event) {
	t.Helper()
	stream, err := jetstream.New(p.conn)
	require.NoError(t, err)
	encoded, err := json.Marshal(event)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := stream.Publish(t.Context(), subject, encoded)
		return err == nil
	}, patience, servicetest.Poll)
}

func look() orders.AuditData {
	return orders.AuditData{
		Action: "order_read", Actor: 9, Subject: 7, Address: "192.0.2.7", Outcome: "success", RequestID: "request-1", Detail: "order 12", Count: 3,
	}
}

func TestWhatOrdersAuditsIsInTheListOfEventsOnceAndOrdersMakesUpNoOther(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	at := time.Now().Add(-time.Hour).Truncate(time.Microsecond)
	forged := orders.AuditData{Action: "login", Actor: 1, Subject: 2, Outcome: "success", Count: 1}
	p.audited(t, 1, at, forged)
	p.audited(t, 2, at, look())
	counted := look()
	counted.Count = -1
	p.audited(t, 1, at, counted)
	p.audited(t, 1, at, orders.AuditData{Action: "access_denied", Actor: 7, Subject: 9, Outcome: "failure", Detail: "GET /orders/:id", Count: 1})
	count := func(action string) int {
		return p.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = ?", action)
	}
	require.Eventually(t, func() bool { return count("access_denied") == 1 }, patience, servicetest.Poll)
	require.Equal(t, []int{1, 0}, []int{count("order_read"), count("login")})
	stream, err := jetstream.New(p.conn)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		consumer, err := stream.Consumer(t.Context(), events.AuditStream, accounts.Service)
		return err == nil && consumer.CachedInfo().Delivered.Stream == 5 && consumer.CachedInfo().NumAckPending == 1
	}, patience, servicetest.Poll, "of what is refused, only what a newer release may know comes again")

	_, err = p.makeAdmin(t, secret, "admin@x.test")
	require.NoError(t, err)
	got := p.do(t, principal(t, p.logIn(t, "admin@x.test", secret)), http.MethodGet, "/audit/events?action=order_read&subject=7", "")
	require.Equal(t, http.StatusOK, got.status, got.body)
	results := decode[struct{ Results []map[string]any }](t, got.body).Results
	require.Len(t, results, 1)
	delete(results[0], "id")
	require.Equal(t, map[string]any{
		"at": at.In(time.FixedZone("KST", 9*60*60)).Format("2006-01-02T15:04:05.000000-07:00"), "action": "order_read", "actor": 9.0, "subject": 7.0, "address": "192.0.2.7",
		"outcome": "success", "request_id": "request-1", "detail": "order 12", "count": 3.0,
	}, results[0])
}

func TestWhatTheReleaseBeforeAuditsOfOrdersIsWrittenDownOnce(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	subjects := []string{events.SubjectOf(orders.Service, orders.EventAudited), events.AuditSubjectOf(orders.Service)}
	before, err := events.New(orders.Service, orders.EventAudited, "9", time.Now(), look())
	require.NoError(t, err)
	p.publish(t, subjects[0], before)
	// Who goes back to that release has what waits published on its subject, perhaps again.
	after, err := events.NewAudit(orders.Service, time.Now(), look())
	require.NoError(t, err)
	for _, subject := range subjects {
		p.publish(t, subject, after)
	}
	stream, err := jetstream.New(p.conn)
	require.NoError(t, err)
	for name, published := range map[string]uint64{events.Stream: 2, events.AuditStream: 1} {
		require.Eventually(t, func() bool {
			consumer, err := stream.Consumer(t.Context(), name, accounts.Service)
			return err == nil && consumer.CachedInfo().AckFloor.Consumer >= published
		}, patience, servicetest.Poll, name)
	}
	require.Equal(t, 2, p.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'order_read'"))
}
