package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsNoIDIsNotFound(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.as(t, boss).order(t, "UNTOUCHED001", "p")
	ids := []string{
		"abc", "0", "-1", "+1", "1.5", "1e0", "0x1", "1_0", "１", "%20", "1%20", "77777", "9223372036854775807", "9223372036854775808",
		"18446744073709551615", "18446744073709551617", strings.Repeat("9", 1000), "1/2", "1%2F2", "1;drop",
	}
	for _, id := range ids {
		t.Run(id[:min(len(id), 30)], func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				p.as(t, boss).json(t, method, "/orders/"+id, `{"product_name": "changed"}`).requireProblem(t, http.StatusNotFound)
			}
		})
	}
	require.Equal(t, 1, p.orders(t))
}

func TestABadListParameterIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	const (
		noOption = "Select a valid choice. That choice is not one of the available choices."
		noTime   = "Enter a valid date/time."
	)
	cases := []struct{ query, field, text string }{
		{"customer=abc", "customer", noOption},
		{"customer=0", "customer", noOption},
		{"customer=-1", "customer", noOption},
		{"customer=1.5", "customer", noOption},
		{"customer=true", "customer", noOption},
		{"customer=18446744073709551617", "customer", noOption},
		{"state=sold", "state", "Select a valid choice. sold is not one of the available choices."},
		{"paymented_at__gte=yesterday", "paymented_at__gte", noTime},
		{"paymented_at__lt=2026-02-30", "paymented_at__lt", noTime},
		{"search=" + strings.Repeat("a,", 9), "search", "Ensure this field has no more than 8 words."},
		{"search=" + strings.Repeat("a", 101), "search", "Ensure each word has no more than 100 characters."},
		{"search=%ff", "", ""},
		{"search=%ed%a0%80", "", ""},
		{"search=a%00b", "", ""},
		{"product_name=%00", "", ""},
		{"product_name=%c3%28", "", ""},
		{"ordering=%00", "", ""},
		{"limit=%zz", "", ""},
	}
	for _, c := range cases {
		t.Run(c.query[:min(len(c.query), 40)], func(t *testing.T) {
			for _, member := range []uint64{alice, boss} {
				refused := p.as(t, member).raw(t, "GET /orders/?"+c.query)
				refused.requireProblem(t, http.StatusBadRequest)
				if c.field != "" {
					refused.requireField(t, c.field, c.text)
				}
			}
		})
	}
}

func TestTheGreatestListParametersAreTaken(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.as(t, alice).order(t, "AAAA00000001", "p")
	for query, want := range map[string][]string{
		"limit=500&offset=0":          {"AAAA00000001"},
		"limit=0":                     {"AAAA00000001"}, // the default, as in DRF
		"limit=abc&offset=-3":         {"AAAA00000001"}, // here, too
		"limit=-1&offset=1e2":         {"AAAA00000001"},
		"limit=501":                   {"AAAA00000001"},
		"offset=99999999999999999999": {},
		"limit=500&offset=2147483647": {},
		"offset=2147483647&search=p":  {},
		"limit=&offset=&search=&ordering=&customer=&product_name=":           {"AAAA00000001"},
		"search=" + strings.Repeat("p,", 8):                                  {"AAAA00000001"},
		"search=" + strings.Repeat("%25", 100):                               {},
		"ordering=-id,id,customer,product_name,order_number,-paymented_at,x": {"AAAA00000001"},
		"product_name=" + strings.Repeat("%F0%9F%8D%A4", 500):                {},
	} {
		require.Equal(t, want, p.as(t, alice).list(t, "/orders/?"+query), query)
		require.Equal(t, want, p.as(t, boss).toldOfAll().list(t, "/orders/?"+query), query)
	}
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	path := p.as(t, alice).order(t, "AAAA00000001", "p")
	for _, c := range []struct {
		method, path string
		status       int
		allow        []string
	}{
		{http.MethodPut, "/orders/", http.StatusMethodNotAllowed, []string{"GET", "HEAD", "POST"}},
		{http.MethodDelete, "/orders", http.StatusMethodNotAllowed, []string{"GET", "HEAD", "POST"}},
		{http.MethodPost, path, http.StatusMethodNotAllowed, []string{"GET", "HEAD", "PUT", "PATCH", "DELETE"}},
		{"BREW", "/orders/", http.StatusMethodNotAllowed, []string{"GET", "HEAD", "POST"}},
		{http.MethodGet, "/orders/1/lines", http.StatusNotFound, nil},
		{http.MethodGet, "/", http.StatusNotFound, nil},
		{http.MethodGet, "/metrics", http.StatusNotFound, nil},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			refused := p.as(t, alice).json(t, c.method, c.path, `{"product_name": "changed"}`)
			refused.requireProblem(t, c.status)
			var allowed []string
			for _, value := range refused.header.Values("Allow") {
				allowed = append(allowed, strings.Split(strings.ReplaceAll(value, " ", ""), ",")...)
			}
			require.ElementsMatch(t, c.allow, allowed)
		})
	}
	require.Equal(t, 1, p.orders(t))
}
