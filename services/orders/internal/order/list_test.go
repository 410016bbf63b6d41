package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

func searchFor(terms ...string) listing.Request {
	return listing.Request{Limit: 30, Terms: terms}
}

// of returns the request for a customer's orders only, unless the customer is 0.
func of(customerID uint64, request listing.Request) listing.Request {
	if customerID == 0 {
		return request
	}
	return request.Only("customer", customerID)
}

func TestAListIsTheMembersOwnAndAnAdminsWhole(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		caller      authn.Principal
		asked, want uint64
	}{
		"a member":                   {owner, 0, ownerID},
		"a member of itself":         {owner, ownerID, ownerID},
		"an admin":                   {admin, 0, 0},
		"an admin of one customer":   {admin, otherID, otherID},
		"an admin of its own orders": {admin, adminID, adminID},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			product := listing.Request{Limit: 30}.Only("product_name", "p")
			page, err := w.List(t.Context(), c.caller, of(c.asked, product))
			require.NoError(t, err)
			require.Equal(t, order.Page{Rows: listing.Rows[order.Order]{Values: []order.Order{ordertest.FirstOrder()}, Count: 1}}, page)
			require.Equal(t, []order.Query{{Request: of(c.want, product)}}, w.Store.Queries)
			require.Empty(t, w.Accounts.Asked, "without a search there is nothing to ask accounts")
		})
	}
}

func TestOthersOrdersAreAnEmptyListToAMember(t *testing.T) {
	t.Parallel()
	w := newWorld()
	page, err := w.List(t.Context(), owner, of(otherID, searchFor("term")))
	require.NoError(t, err)
	require.Equal(t, order.Page{}, page)
	require.Empty(t, w.Store.Queries)
	require.Empty(t, w.Accounts.Asked)
}

func TestASearchAsksAccountsOnceAboutWhomTheCallerMaySee(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		caller          authn.Principal
		customer, among uint64
	}{
		"a member":                 {owner, 0, ownerID},
		"an admin":                 {admin, 0, 0},
		"an admin of one customer": {admin, otherID, otherID},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.Accounts.Matches = [][]uint64{{1}, nil}
			page, err := w.List(t.Context(), c.caller, of(c.customer, searchFor("kim", "새우")))
			require.NoError(t, err)
			require.False(t, page.CustomersUnknown)
			require.Equal(t, []any{ordertest.Question{Terms: []string{"kim", "새우"}, Among: c.among}}, w.Accounts.Asked)
			require.Equal(t, [][]uint64{{1}, nil}, w.Store.Queries[0].Customers)
		})
	}
}

func TestASearchGoesOnWithoutAccountsAndSaysSo(t *testing.T) {
	t.Parallel()
	for _, failure := range []*fault.Error{fault.NewUnavailable(nil), fault.NewTimeout(nil), fault.NewInternal(nil)} {
		t.Run(string(failure.Code), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.Accounts.Failure, w.Accounts.Matches = failure, [][]uint64{{1}}
			page, err := w.List(t.Context(), admin, searchFor("kim"))
			require.NoError(t, err)
			require.True(t, page.CustomersUnknown)
			require.Len(t, page.Values, 1)
			require.Nil(t, w.Store.Queries[0].Customers)
			require.Len(t, w.Accounts.Patience, 1, "the question has a deadline")
			require.LessOrEqual(t, w.Accounts.Patience[0], time.Second)
		})
	}
}

func TestAWalkThatLacksCustomersIsRefusedAndNotCutShort(t *testing.T) {
	t.Parallel()
	byCursor := searchFor("kim")
	byCursor.Cursor = &listing.Cursor{}
	for _, failure := range []*fault.Error{fault.NewUnavailable(nil), fault.NewTimeout(nil), fault.NewInternal(nil)} {
		w := newWorld()
		w.Accounts.MatchFailure = failure
		_, err := w.List(t.Context(), admin, byCursor)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Positive(t, fault.Of(err).RetryAfter)
		_, _, err = w.Export(t.Context(), admin, searchFor("kim"))
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Empty(t, w.Store.Queries)
		require.Len(t, w.Accounts.Patience, 1, "only the question about the right has a deadline of its own")
	}
}

func TestASearchThatMatchesTooManyCustomersSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Accounts.Matches, w.Accounts.Truncated = [][]uint64{{1, 2}}, true
	page, err := w.List(t.Context(), admin, searchFor("kim"))
	require.NoError(t, err)
	require.True(t, page.CustomersUnknown)
	require.Equal(t, [][]uint64{{1, 2}}, w.Store.Queries[0].Customers)
}
