package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

func TestAListParameterThatCannotBeReadIsRefusedByName(t *testing.T) {
	t.Parallel()
	const (
		noOption = "Select a valid choice. That choice is not one of the available choices."
		noTime   = "Enter a valid date/time."
	)
	for _, c := range []struct{ query, field, message string }{
		{"customer=abc", "customer", noOption},
		{"customer=0", "customer", noOption},
		{"customer=-1", "customer", noOption},
		{"customer=1.5", "customer", noOption},
		{"customer=18446744073709551617", "customer", noOption},
		{"state=sold", "state", "Select a valid choice. sold is not one of the available choices."},
		{"paymented_at__gte=yesterday", "paymented_at__gte", noTime},
		{"paymented_at__lt=2026-02-30", "paymented_at__lt", noTime},
		{"search=" + strings.Repeat("a,", 9), "search", "Ensure this field has no more than 8 words."},
		{"search=" + strings.Repeat("a", 101), "search", "Ensure each word has no more than 100 characters."},
	} {
		w := newWorld(t)
		w.send(t, alice, http.MethodGet, "/orders/?"+c.query, "").requireField(t, c.field, c.message)
		w.send(t, boss, http.MethodGet, "/orders/?"+c.query, "").requireField(t, c.field, c.message)
		require.Empty(t, w.Store.Queries)
	}
	newWorld(t).send(t, alice, http.MethodGet, "/orders/?product_name=%c3%28", "").problem(t, http.StatusBadRequest)
	newWorld(t).send(t, alice, http.MethodGet, "/orders/?cursor=e30", "").problem(t, http.StatusNotFound)
}

func TestUnusualListParametersAreTaken(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"limit=0", "limit=abc&offset=-3", "limit=501", "limit=&offset=&search=&ordering=&customer=&product_name=",
		"search=" + strings.Repeat("p,", 8), "search=" + strings.Repeat("%25", 100),
		"ordering=-id,id,customer,product_name,order_number,-paymented_at,x", "ordering=secret", "unknown=%26",
	} {
		got := newWorld(t).send(t, boss, http.MethodGet, "/orders/?"+query, "")
		require.Equal(t, http.StatusOK, got.status, "%s: %s", query, got.text)
		require.Len(t, got.body(t)["results"], 1, query)
	}
}

func TestAPageHasTheOrdersTheirCountAndLinksToWhereTheClientAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, number := range []string{"LINK00000002", "LINK00000003"} {
		w.send(t, alice, http.MethodPost, "/orders/", `{"product_name": "p", "order_number": "`+number+`"}`)
	}
	got := w.send(t, alice, http.MethodGet, "/orders/?product_name=p%20q&limit=1&offset=1&unknown=%26", "",
		httpx.HeaderForwardedHost, "shop.example:8443", httpx.HeaderForwardedProto, "https").body(t)
	const link = "https://shop.example:8443/orders/?limit=1&"
	require.Equal(t, map[string]any{
		"count": 3., "next": link + "offset=2&product_name=p+q&unknown=%26", "previous": link + "product_name=p+q&unknown=%26",
		"results": []any{map[string]any{
			"id": 2., "customer": 1., "order_number": "LINK00000002", "product_name": "p", "paymented_at": paidAt, "state": "paid",
		}},
	}, got)
}

func TestASearchThatWentWithoutAccountsSaysSo(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/orders/?search=alice", "/orders/export?search=alice"} {
		w := newWorld(t)
		require.Empty(t, w.send(t, boss, http.MethodGet, path, "").header.Values("Degraded"))
		w.Accounts.Truncated = true
		got := w.send(t, boss, http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, got.status, got.text)
		require.Equal(t, "customer_search", got.header.Get("Degraded"))
	}
	w := newWorld(t)
	w.Accounts.Failure = fault.NewUnavailable(nil)
	require.Equal(t, "customer_search", w.send(t, boss, http.MethodGet, "/orders/?search=alice", "").header.Get("Degraded"))
	require.Empty(t, w.send(t, boss, http.MethodGet, "/orders/", "").header.Values("Degraded"), "what needs no accounts is whole")
}
