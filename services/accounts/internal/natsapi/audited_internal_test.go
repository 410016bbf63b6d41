package natsapi

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/audit"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
)

const retention = 30 * 24 * time.Hour

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func read(t *testing.T, data orders.AuditData, at time.Time) (audit.Event, error) {
	t.Helper()
	event, err := events.NewAudit(orders.Service, at, data)
	require.NoError(t, err)
	return auditEvent(event, noon, retention)
}

func look() orders.AuditData {
	return orders.AuditData{
		Action: "order_read", Actor: 9, Subject: 7, Address: "192.0.2.7", Outcome: "success", RequestID: "request-1", Detail: "order 12", Count: 3,
	}
}

func refusal() orders.AuditData {
	data := look()
	data.Action, data.Outcome, data.Detail = "access_denied", "failure", "GET /orders/:id"
	return data
}

func TestWhatOrdersSaysIsRead(t *testing.T) {
	t.Parallel()
	got, err := read(t, look(), noon)
	require.NoError(t, err)
	require.Equal(t, audit.Event{
		At: noon, Action: audit.OrderRead, Actor: 9, Subject: 7, Address: "192.0.2.7", Outcome: audit.Success, RequestID: "request-1",
		Detail: "order 12", Count: 3,
	}, got)
	for action, details := range map[audit.Action][]string{
		audit.OrderRead:    {"order 1", audit.AboutOrder(1<<64 - 1), "order 12, timeline", audit.ByMany},
		audit.OrderList:    {"", "search", "customer=7, state, paymented_at at least 2026-11-23T00:00:00Z, paymented_at below 2026-11-24T00:00:00Z, search"},
		audit.OrderExport:  {"", "order_number, product_name"},
		audit.AccessDenied: {"GET /orders/", "DELETE /orders/:id/timeline/:step/note", "POST /orders/:id/transitions", audit.OfManyKinds, audit.ByMany},
	} {
		for _, detail := range details {
			data := look()
			if action == audit.AccessDenied {
				data = refusal()
			}
			data.Action, data.Detail, data.Actor, data.Address, data.RequestID = string(action), detail, 0, "", ""
			_, err := read(t, data, noon)
			require.NoError(t, err, "%s %q", action, detail)
		}
	}
	got, err = read(t, look(), noon.Add(-retention))
	require.NoError(t, err)
	require.Equal(t, noon.Add(-retention), got.At)
}

func TestWhatOrdersSaysOfTheFutureHappenedNow(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{noon.Add(1), noon.Add(time.Hour), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		got, err := read(t, look(), at)
		require.NoError(t, err, at)
		require.Equal(t, noon, got.At)
	}
}

// unlike are what this release does not know, each a change of a look or a refusal.
var unlike = map[string]func(*orders.AuditData){
	"a login":                         func(data *orders.AuditData) { data.Action = "login" },
	"no action":                       func(data *orders.AuditData) { data.Action = "" },
	"a look that failed":              func(data *orders.AuditData) { data.Outcome = "failure" },
	"a refusal that succeeded":        func(data *orders.AuditData) { *data = refusal(); data.Outcome = "success" },
	"a refusal of accounts":           func(data *orders.AuditData) { *data = refusal(); data.Detail = "DELETE /accounts/users/:id" },
	"a refusal with another's prefix": func(data *orders.AuditData) { *data = refusal(); data.Detail = "GET /ordersandmore" },
	"a refusal with more behind it":   func(data *orders.AuditData) { *data = refusal(); data.Detail += "\nGET /audit/events" },
	"a look at no order":              func(data *orders.AuditData) { data.Detail = "session 12" },
	"a list with a route":             func(data *orders.AuditData) { data.Action, data.Detail = "order_list", "GET /audit/events" },
	"a detail without an end":         func(data *orders.AuditData) { data.Action, data.Detail = "order_list", strings.Repeat("search, ", 30) },
}

func TestWhatANewerOrdersMayMeanIsUnknown(t *testing.T) {
	t.Parallel()
	for name, change := range unlike {
		data := look()
		change(&data)
		_, err := read(t, data, noon)
		require.ErrorIs(t, err, errUnknown, name)
		require.Less(t, len(err.Error()), 2*maxDetail, "%s: a line of the log has an end", name)
	}
}

func TestWhatOrdersCannotHaveMeantIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*orders.AuditData){
		"no count":                    func(data *orders.AuditData) { data.Count = 0 },
		"a negative count":            func(data *orders.AuditData) { data.Count = -1 },
		"too high a count":            func(data *orders.AuditData) { data.Count = maxCount + 1 },
		"no address":                  func(data *orders.AuditData) { data.Address = "everywhere" },
		"an address with a zone":      func(data *orders.AuditData) { data.Address = "fe80::1%" + strings.Repeat("a", 40) },
		"a request id that is none":   func(data *orders.AuditData) { data.RequestID = "a b" },
		"a request id without an end": func(data *orders.AuditData) { data.RequestID = strings.Repeat("a", 65) },
	} {
		data := look()
		change(&data)
		_, err := read(t, data, noon)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, errUnknown, name)
	}
	for _, at := range []time.Time{noon.Add(-retention - 1), {}} {
		_, err := read(t, look(), at)
		require.Error(t, err, at)
		require.NotErrorIs(t, err, errUnknown, at)
	}
	event, err := events.NewAudit(orders.Service, noon, "a text")
	require.NoError(t, err)
	_, err = auditEvent(event, noon, retention)
	require.Error(t, err)
	require.NotErrorIs(t, err, errUnknown)
}

func TestWhatIsUnknownComesAgainAndOfAFloodOnlySoMuch(t *testing.T) {
	t.Parallel()
	var stored []audit.Event
	store := storing(func(_ context.Context, _ mysqlx.Writer, events []audit.Event) error {
		stored = append(stored, events...)
		return nil
	}, func() time.Time { return noon }, retention, slog.New(slog.DiscardHandler))
	tell := func(data orders.AuditData) events.Event {
		event, err := events.NewAudit(orders.Service, noon, data)
		require.NoError(t, err)
		return event
	}
	hand := func(event events.Event) error { return store(t.Context(), mysqlx.Writer{}, event) }
	login, impossible := look(), look()
	login.Action, impossible.Count = "login", 0
	first := tell(login)
	for range 3 {
		require.ErrorIs(t, hand(first), errUnknown)
	}
	for range maxUnknown - 1 {
		require.ErrorIs(t, hand(tell(login)), errUnknown)
	}
	require.NoError(t, hand(tell(login)), "the rest of a flood is forgotten")
	require.NoError(t, hand(tell(impossible)))
	require.Empty(t, stored)
	require.ErrorIs(t, hand(first), errUnknown)
	require.NoError(t, hand(tell(look())))
	require.Len(t, stored, 1)
}
