package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

func TestAnExportIsTheFilteredListAsAFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id := uint64(2); id <= 2500; id++ {
		w.Store.Stored[id] = order.Order{ID: id, CustomerID: 2, OrderNumber: fmt.Sprintf("%012d", id), ProductName: "=1+1", PaidAt: ordertest.Now, State: order.Shipped}
	}
	got := w.send(t, boss, http.MethodGet, "/orders/export?state=paid,shipped&ordering=-paymented_at&limit=1&offset=7", "", "Accept", "*/*")
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.Equal(t, "text/csv; charset=utf-8; header=present", got.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="orders.csv"`, got.header.Get("Content-Disposition"))
	lines := strings.Split(strings.TrimSuffix(got.text, "\r\n"), "\r\n")
	require.Len(t, lines, 2501)
	require.Equal(t, "\ufeffid,customer,order_number,product_name,paymented_at,state", lines[0])
	require.Equal(t, "1,1,FIRST0000001,꼬막무침 🍤,"+paidAt+",paid", lines[1])
	require.Equal(t, "2500,2,000000002500,'=1+1,"+paidAt+",shipped", lines[2500])
	require.Len(t, w.Store.Queries, 3)
	for _, query := range w.Store.Queries {
		require.Equal(t, []listing.Match{{Field: "state", Op: listing.In, Values: []any{"paid", "shipped"}}}, query.Matches)
		require.Equal(t, []listing.Key{{Field: "id"}}, query.Ordering, "a walk is in the order of what never changes")
		require.NotNil(t, query.Cursor)
	}

	w.Store.Queries = nil
	require.Equal(t, http.StatusOK, w.send(t, boss, http.MethodGet, "/orders/export?paymented_at__gte=2020-01-01&ordering=state", "").status)
	require.Equal(t, []listing.Key{{Field: "paymented_at"}}, w.Store.Queries[0].Ordering, "that of the time that is filtered by")

	for target, accept := range map[string]string{"/orders/export": "application/x-ndjson", "/orders/export?format=csv&format=ndjson%20": "text/csv"} {
		got := w.send(t, boss, http.MethodGet, target, "", "Accept", accept)
		require.Equal(t, "application/x-ndjson", got.header.Get("Content-Type"))
		require.Equal(t, 2500, strings.Count(got.text, "\n"))
		require.True(t, strings.HasPrefix(got.text, `{"id":1,"customer":1,"order_number":"FIRST0000001","product_name":"꼬막무침 🍤","paymented_at":"`+paidAt+`","state":"paid"}`+"\n"))
	}
}

func TestOnlyAdminsExportAndOnlyWhatCanBeRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		caller authn.Principal
		query  string
		status int
	}{
		{alice, "", 403}, {alice, "?state=sold", 403}, {authn.Principal{MemberID: 2, SessionID: 2, Admin: true}, "", 403}, // no longer an admin
		{boss, "?state=sold", 400}, {boss, "?format=xlsx", 400}, {boss, "?search=" + strings.Repeat("x", 101), 400},
	} {
		w := newWorld(t)
		w.send(t, test.caller, http.MethodGet, "/orders/export"+test.query, "").problem(t, test.status)
		require.Empty(t, w.Store.Queries)
	}
}

func TestAnExportThatFailsSaysSoOrBreaksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id := uint64(2); id <= 1500; id++ {
		w.Store.Stored[id] = order.Order{ID: id}
	}
	w.Store.Failure, w.Store.FailsAfter = fault.NewInternal(nil), 1
	_, err := w.try(t, http.MethodGet, "/orders/export", "", assertion.Header, w.sign(t, boss))
	require.Error(t, err, "a part of an export looks like a whole one")
	w.send(t, boss, http.MethodGet, "/orders/export", "").problem(t, http.StatusInternalServerError)
}
