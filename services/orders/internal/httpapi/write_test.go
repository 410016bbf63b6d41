package httpapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/httpx"
	"oms.internal/libs/idempotency"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

func TestAStateAmongTheFieldsOfAnOrderIsThePresentOneOrNamesTheRouteForTransitions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method, path string
		present      order.State
		done         int
	}{
		{http.MethodPost, "/orders/", order.Paid, http.StatusCreated},
		{http.MethodPut, "/orders/1", order.Shipped, http.StatusOK},
		{http.MethodPatch, "/orders/1", order.Shipped, http.StatusOK},
	} {
		for _, state := range append(order.States(), order.Deleted, "SHIPPED", "x") {
			w := newWorld(t).inState(test.present)
			before := len(w.Store.Stored)
			got := w.send(t, boss, test.method, test.path, fmt.Sprintf(`{"product_name": "new", "state": %q}`, state))
			if state == test.present {
				require.Equal(t, test.done, got.status, "%s %s", test.method, state)
				continue
			}
			require.Equal(t, http.StatusBadRequest, got.status, "%s %s", test.method, state)
			require.Equal(t, []any{"This field is changed by POST /orders/{id}/transitions."}, got.body(t)["state"])
			require.Len(t, w.Store.Stored, before)
			require.Equal(t, ordertest.FirstOrder().ProductName, w.Store.Stored[1].ProductName)
		}
		got := newWorld(t).send(t, boss, test.method, test.path, `{"product_name": "new", "state": null}`)
		require.Equal(t, []any{"This field may not be null."}, got.body(t)["state"])
	}
}

func TestAChangeThatNamesTheStateOfThenGetsTheFirstAnswerAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	replace := func() answer {
		return w.send(t, boss, http.MethodPut, "/orders/1", `{"product_name": "new", "state": "paid"}`, httpx.HeaderIdempotencyKey, "key")
	}
	first := replace()
	require.Equal(t, http.StatusOK, first.status)
	w.inState(order.Shipped)
	again := replace()
	require.Equal(t, "true", again.header.Get(httpx.HeaderIdempotencyReplayed))
	require.Equal(t, first.text, again.text)
}

func TestWhatGETShowedCanBeSentBackByPUT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shown := w.send(t, alice, http.MethodGet, "/orders/1", "")
	got := w.send(t, alice, http.MethodPut, "/orders/1", shown.text)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, shown.text, got.text)
}

func TestACustomerHearsThatItsOrderIsAlreadyPrepared(t *testing.T) {
	t.Parallel()
	for _, state := range []order.State{order.Preparing, order.Shipped, order.Delivered, order.Cancelled} {
		for method, body := range map[string]string{
			http.MethodPut: `{"product_name": "new"}`, http.MethodPatch: `{"product_name": "new"}`, http.MethodDelete: "",
		} {
			w := newWorld(t).inState(state)
			got := w.send(t, alice, method, "/orders/1", body)
			require.Equal(t, http.StatusConflict, got.status, "%s %s", method, state)
			require.Equal(t, "urn:oms:fault:conflict", got.body(t)["type"])
			require.Contains(t, got.body(t)["detail"], string(state))
			require.Less(t, w.send(t, boss, method, "/orders/1", body).status, 300)
		}
	}
}

func TestAWriteThatIsSentAgainWithItsKeyGetsTheFirstAnswerAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ method, path, body, otherBody string }{
		"create":     {http.MethodPost, "/orders/", `{"product_name": "a"}`, `{"product_name": "b"}`},
		"replace":    {http.MethodPut, "/orders/1", `{"product_name": "a"}`, `{"product_name": "b"}`},
		"change":     {http.MethodPatch, "/orders/1", `{"order_number": "SECOND000001"}`, `{"order_number": "SECOND000002"}`},
		"give":       {http.MethodPatch, "/orders/1", `{"customer": 2}`, `{"customer": 9}`},
		"transition": {http.MethodPost, "/orders/1/transitions", `{"to": "preparing", "note": "x"}`, `{"to": "preparing", "note": "y"}`},
		"cancel":     {http.MethodPost, "/orders/1/transitions", `{"to": "cancelled"}`, `{"to": "preparing"}`},
		"delete":     {http.MethodDelete, "/orders/1", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			send := func(body, key string) answer {
				return w.send(t, boss, test.method, test.path, body, httpx.HeaderIdempotencyKey, key)
			}
			send(test.body, "a b").problem(t, http.StatusBadRequest)
			first := send(test.body, "key")
			require.Less(t, first.status, 300)
			require.Empty(t, first.header.Get(httpx.HeaderIdempotencyReplayed))
			for range 2 {
				again := send(test.body, "key")
				delete(w.Store.Stored, 1)
				require.Equal(t, "true", again.header.Get(httpx.HeaderIdempotencyReplayed))
				require.Equal(t, first.status, again.status)
				require.Equal(t, first.text, again.text)
				for _, header := range []string{"ETag", "Location"} {
					require.Equal(t, first.header.Get(header), again.header.Get(header))
				}
			}
			require.Len(t, w.Store.Answers, 1)
			if test.otherBody != "" {
				send(test.otherBody, "key").problem(t, http.StatusUnprocessableEntity)
			}
			require.Len(t, w.Store.Facts, 1)
		})
	}
}

// The release before took the fingerprint of the text as it was sent.
func TestARequestInDecomposedTextIsKnownToHaveBeenDoneByTheReleaseBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const flowers = "꽃다발"
	sent := norm.NFD.String(flowers)
	w.send(t, alice, http.MethodPost, "/orders/", fmt.Sprintf(`{"product_name": %q}`, sent), httpx.HeaderIdempotencyKey, "key")
	parts := func(name string) [32]byte {
		return idempotency.Fingerprint([]byte("create order"), []byte("1"), nil, []byte(name))
	}
	require.Contains(t, slices.Collect(maps.Keys(w.Store.Answers)), order.IdempotentRequest{
		CallerID: 1, Key: "key", Fingerprint: parts(flowers), FormerFingerprint: parts(sent),
	})
}
