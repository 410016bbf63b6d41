package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/client"
	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

func TestEveryOperationOfTheDescriptionIsAMethod(t *testing.T) {
	t.Parallel()
	operations := reflect.TypeFor[api.ClientInterface]()
	require.NotZero(t, operations.NumMethod())
	for operation := range operations.Methods() {
		if strings.HasSuffix(operation.Name, "WithBody") {
			continue
		}
		_, found := reflect.TypeFor[*client.Client]().MethodByName(operation.Name)
		require.True(t, found, operation.Name)
	}
}

func TestOnlyABaseURLOfAHostIsTaken(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "localhost:8080", "ftp://localhost", "http://", "/orders", "http://localhost:port"} {
		_, err := client.New(base, client.Options{})
		require.Error(t, err, base)
	}
	for _, base := range []string{"http://localhost:8080", "https://oms.example/", "https://oms.example/shop"} {
		_, err := client.New(base, client.Options{})
		require.NoError(t, err, base)
	}
}

func TestARefusalTellsAllThatTheGatewaySaid(t *testing.T) {
	t.Parallel()
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "5R2QTZ7NFQ3JH6WLXKAB4YVDEM")
		send(w, "application/problem+json", http.StatusBadRequest, map[string]any{
			"type": "urn:oms:fault:invalid", "title": "Bad Request", "status": 400, "detail": "Invalid input.",
			"nickname": []string{"This value does not match the required pattern."}, "phone": []string{"Too short.", "No digits."},
		})
	})
	_, err := c.GetOrder(t.Context(), 12, nil)
	require.Equal(t, &client.Error{
		Code: fault.Invalid, Status: 400, Detail: "Invalid input.", RequestID: "5R2QTZ7NFQ3JH6WLXKAB4YVDEM",
		Fields: map[string][]string{"nickname": {"This value does not match the required pattern."}, "phone": {"Too short.", "No digits."}},
	}, refused(t, err))
	require.EqualError(t, err, "400 invalid: Invalid input. nickname: This value does not match the required pattern. phone: Too short. No digits. "+
		"(request 5R2QTZ7NFQ3JH6WLXKAB4YVDEM)")
}

func TestARefusalThatIsNotTheGatewaysHasNoCode(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>", "[]", `{"error":"no"}`, `{"type":"about:blank","detail":"no"}`, `{"type":7}`} {
		c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, body, http.StatusForbidden) })
		_, err := c.GetOrder(t.Context(), 12, nil)
		require.Equal(t, &client.Error{Status: 403, Detail: "Forbidden"}, refused(t, err), body)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request went elsewhere")
	}))
	t.Cleanup(elsewhere.Close)
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusMovedPermanently)
	})
	for kind, call := range calls {
		require.Equal(t, 301, refused(t, call(t.Context(), c)).Status, kind)
	}
	_, err := c.ExportOrders(t.Context(), nil)
	require.Equal(t, 301, refused(t, err).Status)
}

func TestTheLatestMomentThatAnAnswerToldOfIsShown(t *testing.T) {
	t.Parallel()
	told := []string{"7", "5", "", "none", "9", ""}
	var shown seen[string]
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		request := shown.add(r.Header.Get("Consistency-Token"))
		w.Header().Set("Consistency-Token", told[request-1])
		if request == 5 {
			refuse(404, fault.NotFound, 0)(w, r) // refusals of writes tell, too
			return
		}
		send(w, "application/json", http.StatusOK, anOrder(12))
	})
	for range told {
		_, _ = c.GetOrder(t.Context(), 12, nil)
	}
	require.Equal(t, []string{"", "7", "7", "7", "7", "9"}, shown.all())
}

func TestAnAnswerHasItsTagAndWhatElseItTells(t *testing.T) {
	t.Parallel()
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"12.3"`)
		w.Header().Set("X-Request-Id", "REQUEST")
		w.Header().Set("Idempotency-Replayed", "true")
		w.Header().Set("Degraded", "last_order")
		send(w, "application/json", http.StatusOK, anOrder(12))
	})
	order, err := c.GetOrder(t.Context(), 12, nil)
	require.NoError(t, err)
	require.Equal(t, client.Meta{ETag: `"12.3"`, RequestID: "REQUEST", Replayed: true, Degraded: "last_order"}, order.Meta)
	require.Equal(t, "꽃", order.ProductName)
	_, err = c.GetOrder(t.Context(), 12, &api.GetOrderParams{IfNoneMatch: &order.ETag})
	require.ErrorIs(t, err, client.ErrNotModified)
}

func TestAWalkFollowsTheCursorsWithTheParametersThatItBeganWith(t *testing.T) {
	t.Parallel()
	var asked seen[url.Values]
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		id := api.ID(2 * asked.add(r.URL.Query()))
		page := map[string]any{"next": nil, "previous": nil, "results": []any{anOrder(id), anOrder(id + 1)}}
		if r.URL.Query().Get("cursor") != "b&=" {
			page["next"] = "http://elsewhere.example/orders/?limit=2&state=paid&cursor=" + url.QueryEscape(map[string]string{"": "a", "a": "b&="}[r.URL.Query().Get("cursor")])
		}
		send(w, "application/json", http.StatusOK, page)
	})
	orders := c.Orders(t.Context(), &api.ListOrdersParams{Limit: new(api.Limit(2)), Offset: new(api.Offset(7)), State: new(api.States{api.OrderStatePaid})})
	for range 2 { // a walk can begin again
		var ids []api.ID
		for order, err := range orders {
			require.NoError(t, err)
			ids = append(ids, order.ID)
		}
		require.Equal(t, []api.ID{2, 3, 4, 5, 6, 7}, ids)
		require.Equal(t, []url.Values{
			{"limit": {"2"}, "state": {"paid"}, "cursor": {""}},
			{"limit": {"2"}, "state": {"paid"}, "cursor": {"a"}},
			{"limit": {"2"}, "state": {"paid"}, "cursor": {"b&="}},
		}, asked.all())
	}
	for _, err := range orders {
		require.NoError(t, err)
		break
	}
	require.Len(t, asked.all(), 1)
}

func TestAWalkEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	first := map[string]any{"next": "http://localhost/orders/?cursor=a", "previous": nil, "results": []any{anOrder(1)}}
	lost := map[string]any{"next": "http://localhost/orders/?limit=1", "previous": nil, "results": []any{}}
	for name, next := range map[string]http.HandlerFunc{
		"a refusal": refuse(404, fault.NotFound, 0), "a link without a cursor": answerWith(lost),
	} {
		c, _ := gateway(t, client.Options{}, script(t, answerWith(first), next))
		var ids []api.ID
		var failures []error
		for order, err := range c.Orders(t.Context(), nil) {
			if err != nil {
				failures = append(failures, err)
				continue
			}
			ids = append(ids, order.ID)
		}
		require.Equal(t, []api.ID{1}, ids, name)
		require.Len(t, failures, 1, name)
	}
}

func TestAnExportIsReadAsItComes(t *testing.T) {
	t.Parallel()
	wasRead := make(chan struct{})
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") != "ndjson" {
			refuse(400, fault.Invalid, 0)(w, r)
			return
		}
		_, _ = io.WriteString(w, "first\n")
		w.(http.Flusher).Flush()
		<-wasRead
		_, _ = io.WriteString(w, "second\n")
	})
	export, err := c.ExportOrders(t.Context(), &api.ExportOrdersParams{Format: new(api.ExportOrdersParamsFormatNdjson)})
	require.NoError(t, err)
	first := make([]byte, len("first\n"))
	_, err = io.ReadFull(export, first)
	require.NoError(t, err)
	close(wasRead)
	rest, err := io.ReadAll(export)
	require.NoError(t, err)
	require.Equal(t, "first\nsecond\n", string(first)+string(rest))
	require.NoError(t, export.Close())
	_, err = c.ExportOrders(t.Context(), nil)
	require.Equal(t, fault.Invalid, refused(t, err).Code)
}

func TestAnExportThatBreaksOffIsAnErrorOfItsReader(t *testing.T) {
	t.Parallel()
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	export, err := c.ExportMembers(t.Context(), nil)
	require.NoError(t, err)
	defer export.Close()
	_, err = io.ReadAll(export)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
