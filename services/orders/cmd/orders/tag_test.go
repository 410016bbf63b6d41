package main

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func (c caller) ifMatch(method, path, tag, body string) message {
	return message{method: method, path: path, contentType: jsonType, body: body, header: map[string]string{"If-Match": tag}}
}

func TestEveryAnswerWithOneOrderHasTheTagOfItsVersion(t *testing.T) {
	t.Parallel()
	p := start(t)
	owner := p.as(t, alice)
	created := owner.post(t, `{"product_name": "p"}`)
	path := created.header.Get("Location")
	tags := map[string]bool{}
	for i, got := range []answer{
		created,
		owner.json(t, http.MethodPut, path, `{"product_name": "put"}`),
		owner.json(t, http.MethodPatch, path, `{"product_name": "patched"}`),
		owner.transition(t, path, "cancelled"),
	} {
		tag := got.header.Get("ETag")
		require.Regexp(t, fmt.Sprintf(`^"\d+\.%d-[A-Za-z0-9_-]{22}"$`, i+1), tag)
		tags[tag] = true
		if i == 3 {
			require.Equal(t, tag, owner.get(t, path).header.Get("ETag"))
		}
	}
	require.Len(t, tags, 4)
	unchanged := p.as(t, boss).json(t, http.MethodPatch, path, `{"product_name": "patched"}`)
	require.Contains(t, tags, unchanged.header.Get("ETag"), "what changes nothing is no version")

	held := owner.send(t, message{method: http.MethodGet, path: path, header: map[string]string{"If-None-Match": unchanged.header.Get("ETag")}})
	require.Equal(t, http.StatusNotModified, held.status)
	require.Empty(t, held.text)
	older := owner.send(t, message{method: http.MethodGet, path: path, header: map[string]string{"If-None-Match": created.header.Get("ETag")}})
	require.Equal(t, http.StatusOK, older.status)
}

// tagOf is a tag of the order in this version, with some body.
func tagOf(path string, version int) string {
	return fmt.Sprintf(`"%s.%d-x"`, strings.TrimPrefix(path, "/orders/"), version)
}

func TestAnOrderThatChangedSinceItsTagStaysAsItIs(t *testing.T) {
	t.Parallel()
	p := start(t)
	owner, admin := p.as(t, alice), p.as(t, boss)
	path := owner.order(t, "TAG000000001", "p")
	old := owner.get(t, path).header.Get("ETag")
	require.Equal(t, http.StatusOK, admin.json(t, http.MethodPatch, path, `{"product_name": "changed"}`).status)
	present := admin.get(t, path)
	weak := "W/" + present.header.Get("ETag")
	for method, request := range map[string]struct{ path, body string }{
		http.MethodPut:    {path, `{"product_name": "mine"}`},
		http.MethodPatch:  {path, `{"product_name": "mine"}`},
		http.MethodPost:   {path + "/transitions", `{"to": "cancelled"}`},
		http.MethodDelete: {path, ""},
	} {
		for _, tag := range []string{old, weak, tagOf(path, 77), tagOf("/orders/77", 2)} {
			owner.send(t, owner.ifMatch(method, request.path, tag, request.body)).requireProblem(t, http.StatusPreconditionFailed)
		}
		owner.send(t, owner.ifMatch(method, request.path, "nonsense", request.body)).requireProblem(t, http.StatusBadRequest)
	}
	require.Equal(t, present.body, owner.get(t, path).body)
	for _, sent := range []message{
		owner.ifMatch(http.MethodPut, path, present.header.Get("ETag"), `{"product_name": "put"}`),
		owner.ifMatch(http.MethodPatch, path, "*", `{"product_name": "patched"}`),
		owner.ifMatch(http.MethodPost, path+"/transitions", tagOf(path, 1)+", "+tagOf(path, 4), `{"to": "cancelled"}`),
	} {
		got := owner.send(t, sent)
		require.Equal(t, http.StatusOK, got.status, got.text)
	}
	require.Equal(t, http.StatusNoContent, admin.send(t, admin.ifMatch(http.MethodDelete, path, tagOf(path, 5), "")).status)
}

func TestOfManyWhoExpectTheSameVersionExactlyOneChangesTheOrder(t *testing.T) {
	t.Parallel()
	p := start(t)
	const rounds, rivals = 5, 8
	for round := range rounds {
		path := p.as(t, alice).order(t, fmt.Sprintf("MATCH%07d", round), "p")
		tag := p.as(t, alice).get(t, path).header.Get("ETag")
		var requests []func(*testing.T) int
		for rival := range rivals {
			requests = append(requests, p.as(t, alice).sending(
				p.as(t, alice).ifMatch(http.MethodPatch, path, tag, fmt.Sprintf(`{"product_name": "rival %d"}`, rival))))
		}
		won := map[int]int{}
		for _, status := range p.together(t, requests...) {
			won[status]++
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusPreconditionFailed: rivals - 1}, won)
		require.True(t, strings.HasPrefix(p.as(t, alice).get(t, path).header.Get("ETag"), strings.TrimSuffix(tagOf(path, 2), `x"`)))
	}
}

func TestTwoPatchesOfDifferentFieldsBothSurvive(t *testing.T) {
	t.Parallel()
	p := start(t)
	for round := range 10 {
		path := p.as(t, alice).order(t, fmt.Sprintf("BEFORE%06d", round), "before")
		want := maps.Clone(p.as(t, alice).get(t, path).body)
		want["order_number"], want["product_name"] = fmt.Sprintf("AFTER%07d", round), "after"
		patch := func(body string) func(*testing.T) int {
			return p.as(t, alice).sending(message{method: http.MethodPatch, path: path, contentType: jsonType, body: body})
		}
		require.Equal(t, []int{http.StatusOK, http.StatusOK}, p.together(t,
			patch(fmt.Sprintf(`{"order_number": %q}`, want["order_number"])), patch(`{"product_name": "after"}`)))
		found := p.as(t, alice).get(t, path)
		require.Equal(t, want, found.body)
		require.True(t, strings.HasPrefix(found.header.Get("ETag"), strings.TrimSuffix(tagOf(path, 3), `x"`)), found.header)
	}
}
