package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// seoulTime is how answers show a time.
var seoulTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+09:00$`)

func TestACreatedOrderIsAtItsLocation(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, path := range []string{"/orders", "/orders/"} {
		created := p.as(t, alice).json(t, http.MethodPost, path, `{"product_name": "  꼬막무침 🍤  "}`)
		require.Equal(t, http.StatusCreated, created.status, created.text)
		require.Equal(t, fmt.Sprintf("/orders/%v", created.body["id"]), created.header.Get("Location"))
		require.Equal(t, "application/json", created.header.Get("Content-Type"))
		require.Equal(t, json.Number("1"), created.body["customer"])
		require.Equal(t, "꼬막무침 🍤", created.body["product_name"])
		require.Regexp(t, `^[0-9A-Z]{12}$`, created.body["order_number"])
		require.Regexp(t, seoulTime, created.body["paymented_at"])
		found := p.as(t, alice).get(t, created.header.Get("Location"))
		require.Equal(t, http.StatusOK, found.status)
		require.Equal(t, created.body, found.body)
	}
	require.Len(t, p.as(t, alice).list(t, "/orders"), 2)
	require.Len(t, p.as(t, alice).list(t, "/orders/"), 2)
}

func TestAnAdminOrdersForMembersThatThereAre(t *testing.T) {
	t.Parallel()
	p := start(t)
	created := p.as(t, boss).post(t, `{"customer": 2, "product_name": "p"}`)
	require.Equal(t, http.StatusCreated, created.status, created.text)
	require.Equal(t, json.Number("2"), created.body["customer"])
	refused := p.as(t, boss).post(t, `{"customer": 77, "product_name": "p"}`)
	refused.requireField(t, "customer", `Invalid pk "77" - object does not exist.`)
	require.Equal(t, 1, p.orders(t))
}

func TestWithoutAccountsAnAdminsOrderIsRefusedForNow(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.accounts.stop()
	refused := p.as(t, boss).post(t, `{"customer": 2, "product_name": "p"}`)
	refused.requireProblem(t, http.StatusServiceUnavailable)
	require.Equal(t, "1", refused.header.Get("Retry-After"))
	require.Zero(t, p.orders(t))
	path := p.as(t, alice).order(t, "HERS00000001", "p")
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		p.as(t, boss).json(t, method, path, `{"product_name": "q"}`).requireProblem(t, http.StatusServiceUnavailable)
	}
	p.as(t, boss).transition(t, path, "preparing").requireProblem(t, http.StatusServiceUnavailable)
	require.Equal(t, "p", p.as(t, alice).get(t, path).body["product_name"])
	// What needs no answer from accounts goes on.
	require.Equal(t, http.StatusCreated, p.as(t, boss).post(t, `{"product_name": "p"}`).status)
}

func TestAFormerAdminChangesNothingOfOthersWithItsOldToken(t *testing.T) {
	t.Parallel()
	p := start(t)
	path := p.as(t, alice).order(t, "HERS00000001", "p")
	before := p.as(t, alice).get(t, path)
	p.accounts.demote()
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		p.as(t, boss).json(t, method, path, `{"product_name": "q"}`).requireProblem(t, http.StatusNotFound)
	}
	p.as(t, boss).json(t, http.MethodPatch, path, `{"customer": 9}`).requireProblem(t, http.StatusForbidden)
	p.as(t, boss).transition(t, path, "preparing").requireProblem(t, http.StatusNotFound)
	p.as(t, boss).post(t, `{"customer": 1, "product_name": "p"}`).requireProblem(t, http.StatusForbidden)
	require.Equal(t, before.body, p.as(t, alice).get(t, path).body)
	require.Equal(t, 1, p.orders(t))
}

func TestPutAndPatchAndDelete(t *testing.T) {
	t.Parallel()
	p := start(t)
	owner := p.as(t, alice)
	path := owner.order(t, "CHANGE000001", "before")
	before := owner.get(t, path).body

	with := func(changes map[string]any) map[string]any {
		want := map[string]any{}
		for name, value := range before {
			want[name] = value
		}
		for name, value := range changes {
			want[name] = value
		}
		return want
	}
	steps := []struct {
		name, method, body string
		want               map[string]any
	}{
		{"PATCH of one field", http.MethodPatch, `{"product_name": "patched"}`, with(map[string]any{"product_name": "patched"})},
		{"PATCH of nothing", http.MethodPatch, `{}`, with(map[string]any{"product_name": "patched"})},
		{"PUT of the product alone", http.MethodPut, `{"product_name": "put"}`, with(map[string]any{"product_name": "put"})},
		{
			"PUT of all", http.MethodPut, `{"customer": 1, "order_number": "CHANGE000002", "product_name": "all", "id": 7, "paymented_at": "x"}`,
			with(map[string]any{"order_number": "CHANGE000002", "product_name": "all"}),
		},
		{"PATCH back", http.MethodPatch, `{"product_name": "before", "order_number": "CHANGE000001"}`, before},
	}
	for _, step := range steps {
		changed := owner.json(t, step.method, path, step.body)
		require.Equal(t, http.StatusOK, changed.status, "%s: %s", step.name, changed.text)
		require.Equal(t, step.want, changed.body, step.name)
		require.Equal(t, step.want, owner.get(t, path).body, step.name)
	}
	owner.json(t, http.MethodPut, path, `{"order_number": "CHANGE000003"}`).requireField(t, "product_name", "This field is required.")
	owner.json(t, http.MethodPatch, path, `{"customer": 2}`).requireProblem(t, http.StatusForbidden)
	require.Equal(t, before, owner.get(t, path).body)

	deleted := owner.send(t, message{method: http.MethodDelete, path: path})
	require.Equal(t, http.StatusNoContent, deleted.status)
	require.Empty(t, deleted.text)
	owner.get(t, path).requireProblem(t, http.StatusNotFound)
	owner.send(t, message{method: http.MethodDelete, path: path}).requireProblem(t, http.StatusNotFound)
	require.Zero(t, p.orders(t))
}

func TestAnothersOrderIsNotFoundWhateverTheMethod(t *testing.T) {
	t.Parallel()
	p := start(t)
	path := p.as(t, alice).order(t, "HIDDEN000001", "hers")
	before := p.as(t, alice).get(t, path).body
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for name, body := range map[string]string{"good": `{"product_name": "mine"}`, "bad": `{"product_name": ""}`} {
			t.Run(method+" "+name, func(t *testing.T) {
				hidden := p.as(t, bob).json(t, method, path, body)
				hidden.requireProblem(t, http.StatusNotFound)
				missing := p.as(t, bob).json(t, method, "/orders/77777", body)
				require.Equal(t, missing.body, hidden.body)
				require.Equal(t, before, p.as(t, alice).get(t, path).body)
			})
		}
	}
	require.Equal(t, http.StatusNotFound, p.as(t, bob).send(t, message{method: http.MethodHead, path: path}).status)
	// An admin may.
	changed := p.as(t, boss).json(t, http.MethodPatch, path, `{"customer": 2}`)
	require.Equal(t, http.StatusOK, changed.status, changed.text)
	p.as(t, alice).get(t, path).requireProblem(t, http.StatusNotFound)
	require.Equal(t, http.StatusNoContent, p.as(t, boss).send(t, message{method: http.MethodDelete, path: path}).status)
}

func TestTwoOrdersWithOneNumberAtOnceAreOne(t *testing.T) {
	t.Parallel()
	p := start(t)
	const rounds = 10
	for round := range rounds {
		body := fmt.Sprintf(`{"order_number": "TWICE%07d", "product_name": "p"}`, round)
		answers := make(chan answer, 2)
		for _, member := range []uint64{alice, bob} {
			from := p.as(t, member)
			go func() {
				got, err := from.try(t.Context(), message{method: http.MethodPost, path: "/orders/", contentType: "application/json", body: body})
				if err != nil {
					got.text = err.Error()
				}
				answers <- got
			}()
		}
		first, second := <-answers, <-answers
		if first.status != http.StatusCreated {
			first, second = second, first
		}
		require.Equal(t, http.StatusCreated, first.status, "%s / %s", first.text, second.text)
		second.requireField(t, "order_number", "order with this order number already exists.")
	}
	require.Equal(t, rounds, p.orders(t))
}
