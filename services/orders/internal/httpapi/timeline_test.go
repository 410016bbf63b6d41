package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

func TestATimelineTellsWhoChangedWhatAndHidesNotesOfStaff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Store.Steps = []order.Step{
		{ID: 5, At: ordertest.Now, ActorID: 1, To: order.Paid},
		{ID: 7, At: ordertest.Now.Add(time.Second), ActorID: 9, From: order.Paid, To: order.Paid, Changes: []order.FieldChange{
			{Field: "product_name", From: "꽃", To: "꽃다발"},
		}},
		{ID: 8, At: ordertest.Now, ActorID: 9, From: order.Paid, To: order.Preparing, Note: "staff"},
		{ID: 9, At: ordertest.Now, ActorID: 1, From: order.Preparing, To: order.Cancelled, Note: "own"},
		{ID: 10, At: ordertest.Now, ActorID: 9, From: order.Cancelled, To: order.Deleted, Redacted: true},
	}
	want := func(note string, redacted bool) []any {
		none := []any{}
		return []any{
			map[string]any{"id": 5., "at": paidAt, "actor": 1., "from": nil, "to": "paid", "changes": none, "note": "", "redacted": false},
			map[string]any{
				"id": 7., "at": "2026-11-23T15:36:31.511840+09:00", "actor": 9., "from": "paid", "to": "paid", "note": "", "redacted": false,
				"changes": []any{map[string]any{"field": "product_name", "from": "꽃", "to": "꽃다발"}},
			},
			map[string]any{"id": 8., "at": paidAt, "actor": 9., "from": "paid", "to": "preparing", "changes": none, "note": note, "redacted": false},
			map[string]any{"id": 9., "at": paidAt, "actor": 1., "from": "preparing", "to": "cancelled", "changes": none, "note": "own", "redacted": false},
			map[string]any{"id": 10., "at": paidAt, "actor": 9., "from": "cancelled", "to": "deleted", "changes": none, "note": "", "redacted": redacted},
		}
	}
	require.Equal(t, want("staff", true), w.send(t, boss, http.MethodGet, "/orders/1/timeline", "").body(t)["results"])
	require.Equal(t, want("", false), w.send(t, alice, http.MethodGet, "/orders/1/timeline", "").body(t)["results"])
}

func TestAnAdminRedactsTheNoteOfAStep(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		caller authn.Principal
		path   string
		status int
	}{
		{boss, "/orders/1/timeline/5/note", http.StatusNoContent},
		{boss, "/orders/1/timeline/6/note", http.StatusNotFound},
		{boss, "/orders/2/timeline/5/note", http.StatusNotFound},
		{boss, "/orders/1/timeline/0/note", http.StatusNotFound},
		{boss, "/orders/1/timeline/x/note", http.StatusNotFound},
		{boss, "/orders/x/timeline/5/note", http.StatusNotFound},
		{alice, "/orders/1/timeline/5/note", http.StatusForbidden},
		{authn.Principal{MemberID: 2, SessionID: 2}, "/orders/1/timeline/5/note", http.StatusForbidden},
	} {
		w := newWorld(t)
		w.Store.Steps = []order.Step{{ID: 5}}
		got := w.send(t, test.caller, http.MethodDelete, test.path, "")
		require.Equal(t, test.status, got.status, test.path)
		require.Equal(t, test.status == http.StatusNoContent, len(w.Store.Redacted) == 1)
	}
}
