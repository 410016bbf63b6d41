package httpapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

func TestACreatedOrderIsAtItsLocation(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/orders", "/orders/"} {
		w := newWorld(t)
		created := w.send(t, bob, http.MethodPost, path, `{"product_name": "꼬막무침 🍤"}`)
		require.Equal(t, http.StatusCreated, created.status, created.text)
		require.Equal(t, "/orders/2", created.header.Get("Location"))
		require.Equal(t, "application/json", created.header.Get("Content-Type"))
		require.Equal(t, map[string]any{
			"id": 2., "customer": 2., "order_number": "GENERATED001", "product_name": "꼬막무침 🍤", "paymented_at": paidAt, "state": "paid",
		}, created.body(t))
		found := w.send(t, bob, http.MethodGet, "/orders/2", "")
		require.Equal(t, http.StatusOK, found.status)
		require.Equal(t, created.text, found.text)
	}
}

func TestPutAndPatchChangeWhatTheyNameAndDeleteRemoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := w.send(t, alice, http.MethodGet, "/orders/1", "").body(t)
	for _, step := range []struct {
		method, body string
		changed      map[string]any
	}{
		{http.MethodPatch, `{"product_name": "patched"}`, map[string]any{"product_name": "patched"}},
		{http.MethodPatch, `{}`, nil},
		{http.MethodPut, `{"product_name": "put"}`, map[string]any{"product_name": "put"}},
		{
			http.MethodPut, `{"customer": 1, "order_number": "CHANGE000002", "product_name": "all", "id": 7, "paymented_at": "x"}`,
			map[string]any{"order_number": "CHANGE000002", "product_name": "all"},
		},
	} {
		maps.Copy(want, step.changed)
		changed := w.send(t, alice, step.method, "/orders/1", step.body)
		require.Equal(t, http.StatusOK, changed.status, changed.text)
		require.Equal(t, want, changed.body(t), step.body)
		require.Equal(t, want, w.send(t, alice, http.MethodGet, "/orders/1", "").body(t))
	}
	deleted := w.send(t, alice, http.MethodDelete, "/orders/1", "")
	require.Equal(t, http.StatusNoContent, deleted.status)
	require.Empty(t, deleted.text)
	require.Empty(t, w.Store.Stored)
}

func TestARefusalOfTheDomainIsAnAnswerThatSaysWhy(t *testing.T) {
	t.Parallel()
	unavailable := func(w *world) { w.Accounts.Failure = fault.NewUnavailable(nil) }
	demoted := func(w *world) { w.Accounts.Members[boss.MemberID] = order.Member{Exists: true} }
	for name, c := range map[string]struct {
		given  func(*world)
		body   string
		status int
		field  string
	}{
		"a member that is not":          {func(*world) {}, `{"customer": 77, "product_name": "p"}`, http.StatusBadRequest, "customer"},
		"a number that is taken":        {func(*world) {}, `{"order_number": "FIRST0000001", "product_name": "p"}`, http.StatusBadRequest, "order_number"},
		"without accounts":              {unavailable, `{"customer": 2, "product_name": "p"}`, http.StatusServiceUnavailable, ""},
		"without accounts, for oneself": {unavailable, `{"product_name": "p"}`, http.StatusCreated, ""},
		"no longer an admin":            {demoted, `{"customer": 2, "product_name": "p"}`, http.StatusForbidden, ""},
	} {
		w := newWorld(t)
		c.given(w)
		got := w.send(t, boss, http.MethodPost, "/orders/", c.body)
		if c.status == http.StatusCreated {
			require.Equal(t, c.status, got.status, "%s: %s", name, got.text)
			continue
		}
		problem := got.problem(t, c.status)
		if c.field != "" {
			require.Len(t, problem[c.field], 1, name)
		}
		if c.status == http.StatusServiceUnavailable {
			require.Equal(t, "1", got.header.Get("Retry-After"))
		}
		w.requireUntouched(t)
	}
}

func TestEveryAnswerWithOneOrderHasTheTagOfItsVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tags := map[string]bool{}
	for i, got := range []answer{
		w.send(t, alice, http.MethodGet, "/orders/1", ""),
		w.send(t, alice, http.MethodPut, "/orders/1", `{"product_name": "put"}`),
		w.send(t, alice, http.MethodPatch, "/orders/1", `{"product_name": "patched"}`),
		w.send(t, alice, http.MethodPost, "/orders/1/transitions", `{"to": "cancelled"}`),
	} {
		tag := got.header.Get("ETag")
		require.Regexp(t, fmt.Sprintf(`^"1\.%d-[A-Za-z0-9_-]{22}"$`, i+1), tag)
		tags[tag] = true
	}
	require.Len(t, tags, 4)
	unchanged := w.send(t, boss, http.MethodPatch, "/orders/1", `{"product_name": "patched"}`).header.Get("ETag")
	require.Contains(t, tags, unchanged, "what changes nothing is no version")
	require.Regexp(t, `^"2\.1-`, w.send(t, bob, http.MethodPost, "/orders/", `{"product_name": "p"}`).header.Get("ETag"))

	held := w.send(t, alice, http.MethodGet, "/orders/1", "", "If-None-Match", unchanged)
	require.Equal(t, http.StatusNotModified, held.status)
	require.Empty(t, held.text)
	require.Equal(t, http.StatusOK, w.send(t, alice, http.MethodGet, "/orders/1", "", "If-None-Match", `"1.1-x"`).status)
}

func TestAnOrderThatIsNotInTheVersionOfIfMatchStaysAsItIs(t *testing.T) {
	t.Parallel()
	for _, route := range routes {
		if route.method == http.MethodGet || route.path != "/orders/1" && route.path != "/orders/1/transitions" {
			continue
		}
		for tag, status := range map[string]int{
			`"1.2-x"`: http.StatusPreconditionFailed, `"77.1-x"`: http.StatusPreconditionFailed, `W/"1.1-x"`: http.StatusPreconditionFailed,
			"nonsense": http.StatusBadRequest,
		} {
			w := newWorld(t)
			w.send(t, alice, route.method, route.path, route.body, "If-Match", tag).problem(t, status)
			w.requireUntouched(t)
		}
		for _, tag := range []string{`"1.1-x"`, "*", `"1.7-x", "1.1-x"`} {
			got := newWorld(t).send(t, alice, route.method, route.path, route.body, "If-Match", tag)
			require.Less(t, got.status, 300, "%s %s: %s", route.method, tag, got.text)
		}
	}
}

func TestACallerSeesWhatItsTokenCoversAndAWriteTellsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/orders/1", "/orders/"} {
		w.Store.After = 0
		got := w.send(t, alice, http.MethodGet, path, "", consistency.Header, "77")
		require.Equal(t, consistency.Token(77), w.Store.After, path)
		require.Empty(t, got.header.Values(consistency.Header), "reads tell nothing")
	}
	given := w.send(t, boss, http.MethodPatch, "/orders/1", `{"customer": 2}`)
	require.Equal(t, ordertest.Written.String(), given.header.Get(consistency.Header))
	require.Equal(t, "9,1,2", given.header.Get(consistency.HeaderConcerned))
	require.Equal(t, []consistency.Written{{MemberIDs: []uint64{9, 1, 2}, Token: ordertest.Written}}, w.published)
	w.send(t, bob, http.MethodGet, "/orders/1", "")
	require.Equal(t, ordertest.Written, w.Store.After, "the new customer sees it without a token")
}
