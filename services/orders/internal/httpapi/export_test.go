package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// Orders returns the page of all orders, by id. It fails behind failsAfter.
func (m *memory) Orders(_ context.Context, query order.Query) (listing.Rows[order.Order], error) {
	var all []order.Order
	for id := uint64(1); len(all) < len(m.orders); id++ {
		if found, ok := m.orders[id]; ok {
			all = append(all, found)
		}
	}
	m.queries = append(m.queries, query)
	if m.failsAfter > 0 && len(m.queries) > m.failsAfter {
		return listing.Rows[order.Order]{}, fault.NewUnavailable(io.ErrUnexpectedEOF)
	}
	return listing.Whole(query.Request, all, func(o order.Order) uint64 { return o.ID })
}

// exported asks for a file and returns its text, or what went wrong while it came.
func (w *world) exported(t *testing.T, caller authn.Principal, target, accept string) (status int, header http.Header, text string, err error) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	signed, err := w.signer.Sign(caller, orders.Service)
	require.NoError(t, err)
	request.Header.Set(assertion.Header, signed)
	request.Header.Set("Accept", accept)
	response, err := w.app.Test(request, -1)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { require.NoError(t, response.Body.Close()) }()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(content), err
}

func TestAnExportIsTheFilteredListAsAFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id := uint64(2); id <= 2500; id++ {
		w.store.orders[id] = order.Order{ID: id, CustomerID: 2, OrderNumber: fmt.Sprintf("%012d", id), ProductName: "=1+1", PaidAt: now, State: order.Shipped}
	}
	const at = "2026-11-23T15:36:30.511840+09:00"
	status, header, text, err := w.exported(t, boss, "/orders/export?state=paid,shipped&ordering=-paymented_at&limit=1&offset=7", "*/*")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, text)
	require.Equal(t, "text/csv; charset=utf-8; header=present", header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="orders.csv"`, header.Get("Content-Disposition"))
	lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	require.Len(t, lines, 2501)
	require.Equal(t, "\ufeffid,customer,order_number,product_name,paymented_at,state", lines[0])
	require.Equal(t, "1,1,FIRST0000001,꽃다발,"+at+",paid", lines[1])
	require.Equal(t, "2500,2,000000002500,'=1+1,"+at+",shipped", lines[2500])
	require.Len(t, w.store.queries, 3)
	for _, query := range w.store.queries {
		require.Equal(t, []listing.Match{{Field: "state", Op: listing.In, Values: []any{"paid", "shipped"}}}, query.Matches)
		require.Empty(t, query.Ordering, "a walk is in the order of what never changes")
		require.NotNil(t, query.Cursor)
	}

	for target, accept := range map[string]string{"/orders/export": "application/x-ndjson", "/orders/export?format=ndjson": "text/csv"} {
		_, header, text, err = w.exported(t, boss, target, accept)
		require.NoError(t, err)
		require.Equal(t, "application/x-ndjson", header.Get("Content-Type"))
		require.Equal(t, 2500, strings.Count(text, "\n"))
		require.True(t, strings.HasPrefix(text, `{"id":1,"customer":1,"order_number":"FIRST0000001","product_name":"꽃다발","paymented_at":"`+at+`","state":"paid"}`+"\n"))
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
		status, _, text, err := w.exported(t, test.caller, "/orders/export"+test.query, "")
		require.NoError(t, err)
		require.Equal(t, test.status, status, text)
		require.Empty(t, w.store.queries)
	}
}

func TestAnExportThatFailsSaysSoOrBreaksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id := uint64(2); id <= 1500; id++ {
		w.store.orders[id] = order.Order{ID: id}
	}
	w.store.failsAfter = 1
	_, _, _, err := w.exported(t, boss, "/orders/export", "") //nolint:dogsled // the rest does not come
	require.Error(t, err, "a part of an export looks like a whole one")
	status, _, _, err := w.exported(t, boss, "/orders/export", "")
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status)
}
