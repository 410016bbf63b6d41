package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinksLeadWhereTheClientAsked(t *testing.T) {
	t.Parallel()
	p := start(t)
	for i := range 5 {
		p.as(t, alice).order(t, fmt.Sprintf("LINK%08d", i), "p q")
	}
	direct := "http://" + p.HTTP.String()
	forwarded := map[string]string{"X-Forwarded-Host": "shop.example:8443", "X-Forwarded-Proto": "https"}
	cases := []struct {
		path           string
		header         map[string]string
		next, previous any
	}{
		{"/orders/", nil, nil, nil},
		{"/orders/?limit=2", nil, direct + "/orders/?limit=2&offset=2", nil},
		{"/orders?limit=2&offset=2", nil, direct + "/orders?limit=2&offset=4", direct + "/orders?limit=2"},
		{"/orders/?offset=4&limit=2", nil, nil, direct + "/orders/?limit=2&offset=2"},
		{"/orders/?limit=2&offset=1", nil, direct + "/orders/?limit=2&offset=3", direct + "/orders/?limit=2"},
		{"/orders/?limit=2&offset=100", nil, nil, direct + "/orders/?limit=2&offset=98"},
		{
			"/orders/?limit=2&offset=2", forwarded,
			"https://shop.example:8443/orders/?limit=2&offset=4", "https://shop.example:8443/orders/?limit=2",
		},
		{
			"/orders/?product_name=p%20q&limit=2&ordering=-id&unknown=%26", map[string]string{"X-Forwarded-Host": "shop.example"},
			"http://shop.example/orders/?limit=2&offset=2&ordering=-id&product_name=p+q&unknown=%26", nil,
		},
	}
	for _, c := range cases {
		t.Run(c.path, func(t *testing.T) {
			got := p.as(t, alice).send(t, message{method: http.MethodGet, path: c.path, header: c.header})
			require.Equal(t, http.StatusOK, got.status, got.text)
			require.Equal(t, "5", fmt.Sprint(got.body["count"]))
			require.Equal(t, c.next, got.body["next"])
			require.Equal(t, c.previous, got.body["previous"])
		})
	}
	t.Run("a link leads to the next orders", func(t *testing.T) {
		require.Equal(t, []string{"LINK00000002", "LINK00000003"}, p.as(t, alice).list(t, "/orders/?limit=2&offset=2"))
	})
}

func TestWhoSeesWhichOrdersInLists(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.as(t, alice).order(t, "AAAA00000001", "juice")
	p.as(t, bob).order(t, "BBBB00000001", "juice")
	p.as(t, bob).order(t, "BBBB00000002", "alice in wonderland")
	p.as(t, boss).order(t, "CCCC00000001", "juice")
	none := []string{}
	cases := []struct {
		name   string
		member uint64
		query  string
		want   []string
	}{
		{"a member its own", bob, "", []string{"BBBB00000001", "BBBB00000002"}},
		{"a member by its own id", bob, "?customer=2", []string{"BBBB00000001", "BBBB00000002"}},
		{"a member by another's id", bob, "?customer=1", none},
		{"a member by another's id, searching", bob, "?customer=1&search=juice", none},
		{"a member by another's number", bob, "?search=AAAA", none},
		{"a member by another's name", bob, "?search=alice@", none},
		{"a member by its own name", bob, "?search=%EB%B0%A5", []string{"BBBB00000001", "BBBB00000002"}},
		{"a member by its own name and a product", bob, "?search=bob@,wonder", []string{"BBBB00000002"}},
		{"a member by a product", bob, "?product_name=Juice", []string{"BBBB00000001"}},
		{"an admin all", boss, "?ordering=order_number", []string{"AAAA00000001", "BBBB00000001", "BBBB00000002", "CCCC00000001"}},
		{"an admin one customer's", boss, "?customer=2&ordering=-order_number", []string{"BBBB00000002", "BBBB00000001"}},
		{"an admin a customer's that is not", boss, "?customer=77", none},
		{"an admin by name or product", boss, "?search=alice", []string{"AAAA00000001", "BBBB00000002"}},
		{"an admin by name and product", boss, "?search=alice%20juice", []string{"AAAA00000001"}},
		{"an admin by name, of one customer", boss, "?search=bob&customer=2&product_name=juice", []string{"BBBB00000001"}},
		{"an admin by two keys", boss, "?ordering=product_name,-order_number", []string{"BBBB00000002", "CCCC00000001", "BBBB00000001", "AAAA00000001"}},
		{"an admin by unknown keys", boss, "?ordering=secret,-id", []string{"CCCC00000001", "BBBB00000002", "BBBB00000001", "AAAA00000001"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, p.as(t, c.member).toldOfAll().list(t, "/orders/"+c.query))
		})
	}
}

func TestWithoutAccountsASearchGoesOnAndSaysSo(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.as(t, alice).order(t, "AAAA00000001", "juice")
	p.as(t, bob).order(t, "BBBB00000001", "alice in wonderland")

	whole := p.as(t, boss).toldOfAll().get(t, "/orders/?search=alice&ordering=order_number")
	require.Empty(t, whole.header.Values("Degraded"))
	require.Len(t, whole.numbers(t), 2)

	p.accounts.stop()
	without := p.as(t, boss).toldOfAll().get(t, "/orders/?search=alice")
	require.Equal(t, http.StatusOK, without.status, without.text)
	require.Equal(t, "customer_search", without.header.Get("Degraded"))
	require.Equal(t, []string{"BBBB00000001"}, without.numbers(t))
	require.Empty(t, p.as(t, boss).get(t, "/orders/").header.Values("Degraded"))
}
