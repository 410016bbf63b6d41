package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// transition asks for a state of the order at path.
func (c caller) transition(t *testing.T, path, to string) answer {
	t.Helper()
	return c.json(t, http.MethodPost, path+"/transitions", fmt.Sprintf(`{"to": %q}`, to))
}

// steps returns the timeline of the order at path as "actor: from > to note".
func (c caller) steps(t *testing.T, path string) []string {
	t.Helper()
	shown := c.get(t, path+"/timeline")
	require.Equal(t, http.StatusOK, shown.status, shown.text)
	results, ok := shown.body["results"].([]any)
	require.True(t, ok, shown.text)
	steps := []string{}
	for _, result := range results {
		step, ok := result.(map[string]any)
		require.True(t, ok, shown.text)
		require.Len(t, step, 8)
		require.Regexp(t, seoulTime, step["at"])
		steps = append(steps, fmt.Sprintf("%v: %v > %v %v", step["actor"], step["from"], step["to"], step["note"]))
	}
	return steps
}

func TestAnOrdersLifeIsInItsTimeline(t *testing.T) {
	t.Parallel()
	p := start(t)
	owner, admin := p.as(t, alice), p.as(t, boss)
	path := owner.order(t, "LIFE00000001", "p")
	require.Equal(t, "paid", owner.get(t, path).body["state"])
	for _, state := range []string{"preparing", "shipped", "delivered"} {
		changed := admin.json(t, http.MethodPost, path+"/transitions", fmt.Sprintf(`{"to": %q, "note": " 배송 🚚 "}`, state))
		require.Equal(t, http.StatusOK, changed.status, changed.text)
		require.Equal(t, state, changed.body["state"])
		require.Equal(t, changed.body, owner.get(t, path).body)
	}
	life := []string{
		"1: <nil> > paid ", "9: paid > preparing 배송 🚚", "9: preparing > shipped 배송 🚚", "9: shipped > delivered 배송 🚚",
	}
	require.Equal(t, life, admin.toldOfAll().steps(t, path))

	require.Equal(t, http.StatusOK, admin.json(t, http.MethodPatch, path, `{"product_name": "q"}`).status)
	require.Equal(t, http.StatusNoContent, admin.send(t, message{method: http.MethodDelete, path: path}).status)
	life = append(life, "9: delivered > delivered ", "9: delivered > deleted ")
	require.Equal(t, life, admin.toldOfAll().steps(t, path))
	require.Equal(t, []string{
		"1: <nil> > paid ", "9: paid > preparing ", "9: preparing > shipped ", "9: shipped > delivered ",
		"9: delivered > delivered ", "9: delivered > deleted ",
	}, owner.steps(t, path), "notes of staff are not shown")
	p.as(t, bob).get(t, path+"/timeline").requireProblem(t, http.StatusNotFound)
	owner.transition(t, path, "cancelled").requireProblem(t, http.StatusNotFound)
}

func TestMembersCancelWhileTheyMayAndDoNothingElse(t *testing.T) {
	t.Parallel()
	p := start(t)
	owner, admin := p.as(t, alice), p.as(t, boss)
	for i, before := range []string{"paid", "preparing", "shipped"} {
		path := owner.order(t, fmt.Sprintf("CANCEL%06d", i), "p")
		for _, state := range []string{"preparing", "shipped"}[:i] {
			require.Equal(t, http.StatusOK, admin.transition(t, path, state).status)
		}
		p.as(t, bob).transition(t, path, "cancelled").requireProblem(t, http.StatusNotFound)
		owner.transition(t, path, "delivered").requireProblem(t, http.StatusForbidden)
		got := owner.transition(t, path, "cancelled")
		if before == "shipped" {
			got.requireProblem(t, http.StatusConflict)
			require.Contains(t, got.body["detail"], "shipped")
			continue
		}
		require.Equal(t, http.StatusOK, got.status, got.text)
		require.Equal(t, "cancelled", got.body["state"])
		admin.transition(t, path, "preparing").requireProblem(t, http.StatusConflict)
	}
}

func TestABadTransitionIsRefusedAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	p := start(t)
	path := p.as(t, alice).order(t, "BAD000000001", "p")
	for body, want := range map[string]struct{ field, text string }{
		`{}`:                                    {"to", "This field is required."},
		`{"to": ""}`:                            {"to", "This field may not be blank."},
		`{"to": null}`:                          {"to", "This field may not be null."},
		`{"to": "deleted"}`:                     {"to", `"deleted" is not a valid choice.`},
		`{"to": ["paid"]}`:                      {"to", "Not a valid string."},
		`{"to": "cancelled", "note": []}`:       {"note", "Not a valid string."},
		`{"to": "cancelled", "note": "\u0000"}`: {"note", "Null characters are not allowed."},
		`{"to": "cancelled", "note": "` + strings.Repeat("🚚", 501) + `"}`: {"note", "Ensure this field has no more than 500 characters."},
	} {
		p.as(t, alice).json(t, http.MethodPost, path+"/transitions", body).requireField(t, want.field, want.text)
	}
	p.as(t, boss).transition(t, path, "paid").requireProblem(t, http.StatusConflict)
	p.as(t, boss).transition(t, "/orders/77", "cancelled").requireProblem(t, http.StatusNotFound)
	p.as(t, boss).json(t, http.MethodPost, "/orders/x/transitions", `{}`).requireProblem(t, http.StatusNotFound)
	p.as(t, boss).get(t, "/orders/x/timeline").requireProblem(t, http.StatusNotFound)
	require.Equal(t, []string{"1: <nil> > paid "}, p.as(t, alice).steps(t, path))
	longest := fmt.Sprintf(`{"to": "cancelled", "note": %q}`, strings.Repeat("🚚", 500))
	require.Equal(t, http.StatusOK, p.as(t, alice).json(t, http.MethodPost, path+"/transitions", longest).status)
}

func TestOfTwoTransitionsAtOnceOneIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	for round := range 10 {
		path := p.as(t, alice).order(t, fmt.Sprintf("RACE%08d", round), "p")
		statuses := p.together(t,
			p.as(t, boss).sending(message{method: http.MethodPost, path: path + "/transitions", contentType: jsonType, body: `{"to": "preparing"}`}),
			p.as(t, boss).sending(message{method: http.MethodPost, path: path + "/transitions", contentType: jsonType, body: `{"to": "preparing"}`}),
		)
		require.ElementsMatch(t, []int{http.StatusOK, http.StatusConflict}, statuses)
		require.Len(t, p.as(t, alice).steps(t, path), 2)
	}
}

// sending is a request that has not been sent.
func (c caller) sending(sent message) func(*testing.T) int {
	return func(t *testing.T) int {
		got, err := c.try(t.Context(), sent)
		if err != nil {
			t.Error(err)
		}
		return got.status
	}
}

// together sends requests at the same time and returns the statuses of their answers.
func (p *process) together(t *testing.T, requests ...func(*testing.T) int) []int {
	t.Helper()
	statuses := make([]int, len(requests))
	var sent sync.WaitGroup
	for i, request := range requests {
		sent.Go(func() { statuses[i] = request(t) })
	}
	sent.Wait()
	return statuses
}

func TestAnOrderThatIsOlderThanTimelinesHasAnEmptyOne(t *testing.T) {
	t.Parallel()
	p := start(t)
	result, err := p.root.ExecContext(t.Context(),
		"INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (1, 'OLD000000001', 'p', NOW())")
	require.NoError(t, err)
	id, err := result.LastInsertId()
	require.NoError(t, err)
	path := fmt.Sprintf("/orders/%d", id)
	require.Empty(t, p.as(t, alice).steps(t, path))
	require.Equal(t, "paid", p.as(t, alice).get(t, path).body["state"])
	require.Equal(t, json.Number("1"), p.as(t, alice).transition(t, path, "cancelled").body["customer"])
	require.Equal(t, []string{"1: paid > cancelled "}, p.as(t, alice).steps(t, path))
}
