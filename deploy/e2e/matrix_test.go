package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The authorization matrix: every route × who asks × whose resource it is → the answer. The routes, and who may use each,
// are what the gateway lists (gateway routes); each cell is a real request. So a new route is tried without a change here,
// unless it needs a body, or its path names something that the world does not have yet.

// callers, in the order of the columns. Revoked and expired tokens were the subject member's own.
var callers = [...]string{"anonymous", "member", "other member", "admin", "revoked", "expired", "deactivated"}

// The targets: whose resource the request is about, as seen by the subject member.
const (
	own     = "own"
	others  = "other's"
	missing = "missing"
	none    = "" // the route has no owner
)

const missingID = 999_999_999

// done stands for any status that says that the request was done.
const done = 200

// columns holds the wanted status for each caller.
type columns [len(callers)]int

// onlyMembers refuses everyone without a valid token.
func onlyMembers(member, other, admin int) columns {
	return columns{401, member, other, admin, 401, 401, 401}
}

// anyone asks for no token.
func anyone(status int) columns {
	return columns{status, status, status, status, status, status, status}
}

// route is one method of one path, as the gateway lists it.
type route struct{ Method, Pattern, Access string }

func (r route) String() string { return r.Method + " " + r.Pattern }

// namesOne reports whether the path names one thing, which somebody owns.
func (r route) namesOne() bool { return strings.Contains(r.Pattern, ":id") }

// wanted is what the declared access means, for each target.
func (r route) wanted(t *testing.T) map[string]columns {
	t.Helper()
	switch {
	case r.Access == "public" && !r.namesOne():
		return map[string]columns{none: anyone(done)}
	case r.Access == "member" && !r.namesOne():
		return map[string]columns{none: onlyMembers(done, done, done)}
	case r.Access == "admin" && !r.namesOne():
		return map[string]columns{none: onlyMembers(403, 403, done)}
	case r.Access == "member":
		return one(onlyMembers(done, done, done), onlyMembers(done, done, done))
	case r.Access == "admin":
		return map[string]columns{
			own: onlyMembers(403, 403, done), others: onlyMembers(403, 403, done), missing: onlyMembers(403, 403, 404),
		}
	case r.Access == "owner" && r.namesOne():
		return one(onlyMembers(done, 404, done), onlyMembers(404, 404, done))
	case r.Access == "self" && r.namesOne():
		return one(onlyMembers(done, 403, done), onlyMembers(403, 403, done))
	}
	require.Fail(t, "the matrix does not know what this access means", "%s: %s", r, r.Access)
	return nil
}

func one(mine, theirs columns) map[string]columns {
	return map[string]columns{own: mine, others: theirs, missing: onlyMembers(404, 404, 404)}
}

// bodies are those that routes ask for. id is that of the target's member.
var bodies = map[string]func(w *world, id uint64) any{
	"POST /accounts/users":         func(*world, uint64) any { return newMember(unique() + "@e2e.test") },
	"PUT /accounts/users/:id":      func(w *world, id uint64) any { return newMember(w.emailOf(id)) },
	"PATCH /accounts/users/:id":    func(*world, uint64) any { return map[string]any{"nickname": "matrix"} },
	"POST /auth/login":             func(w *world, _ uint64) any { return credentialsOf(w, w.ids[own]) },
	"POST /auth/refresh":           func(w *world, _ uint64) any { return refreshTokenOf(w, w.ids[own]) },
	"POST /orders/":                func(*world, uint64) any { return newOrder("p") },
	"POST /orders":                 func(*world, uint64) any { return newOrder("p") },
	"PUT /orders/:id":              func(*world, uint64) any { return newOrder("q") },
	"PATCH /orders/:id":            func(*world, uint64) any { return newOrder("q") },
	"POST /orders/:id/transitions": func(*world, uint64) any { return map[string]any{"to": "cancelled"} },
}

// row is a route with what is wanted of it.
type row struct {
	route route
	body  func(w *world, id uint64) any
	want  map[string]columns // by target
}

// special are routes where the body names somebody, whatever the table says of the path.
func special() []row {
	orderFor := func(_ *world, id uint64) any { return map[string]any{"customer": id, "product_name": "p"} }
	placing := map[string]columns{
		own: onlyMembers(done, 403, done), others: onlyMembers(403, 403, done), missing: onlyMembers(403, 403, 400),
	}
	return []row{
		{route: route{"POST", "/orders/", ""}, body: orderFor, want: placing},
		{route: route{"POST", "/orders", ""}, body: orderFor, want: placing},
		{route: route{"POST", "/auth/login", ""}, body: credentialsOf, want: map[string]columns{others: anyone(done), missing: anyone(400)}},
		{route: route{"POST", "/auth/refresh", ""}, body: refreshTokenOf, want: map[string]columns{others: anyone(done), missing: anyone(401)}},
	}
}

// world holds the members of one cell, made anew for each row that changes something.
type world struct {
	tokens  map[string]string // by caller
	ids     map[string]uint64 // of members, by target
	orders  map[string]uint64
	steps   map[string]uint64 // of their timelines
	session map[string]uint64
	refresh map[uint64]string // by member
	emails  map[uint64]string
}

func credentialsOf(w *world, id uint64) any {
	return map[string]any{"email": w.emailOf(id), "password": password}
}

// emailOf returns the email of a member, or one that nobody has.
func (w *world) emailOf(id uint64) string {
	if email, found := w.emails[id]; found {
		return email
	}
	return unique() + "@e2e.test"
}

func refreshTokenOf(w *world, id uint64) any {
	token, found := w.refresh[id]
	if !found {
		token = "nonsense"
	}
	return map[string]any{"refresh_token": token}
}

// login opens a session and returns its token, its id, and its refresh token.
func login(t *testing.T, email string) (token string, session uint64, refresh string) {
	t.Helper()
	got := newClient().do(t, http.MethodPost, "/auth/login", map[string]any{"email": email, "password": password})
	require.Equal(t, http.StatusOK, got.status, got.text)
	token = got.body["token"].(string)
	return token, sessionOf(t, token), got.body["refresh_token"].(string)
}

func newWorld(t *testing.T, admin member) *world {
	t.Helper()
	subject, other, third, inactive := signUp(t), signUp(t), signUp(t), signUp(t)
	w := &world{
		tokens:  map[string]string{"member": subject.token, "other member": other.token, "deactivated": inactive.token},
		ids:     map[string]uint64{own: subject.id, others: third.id, missing: missingID},
		orders:  map[string]uint64{own: orderOf(t, subject), others: orderOf(t, third), missing: missingID},
		steps:   map[string]uint64{missing: missingID},
		session: map[string]uint64{own: sessionOf(t, subject.token), others: sessionOf(t, third.token), missing: missingID},
		refresh: map[uint64]string{subject.id: subject.refresh, third.id: third.refresh},
		emails:  map[uint64]string{subject.id: subject.email, third.id: third.email},
	}
	w.tokens["admin"], _, _ = login(t, admin.email)
	w.tokens["revoked"], _, _ = login(t, subject.email)
	require.Equal(t, http.StatusNoContent, newClient().as(w.tokens["revoked"]).do(t, http.MethodPost, "/auth/logout", nil).status)
	w.tokens["expired"] = expiredToken(t, subject.token)
	for _, target := range []string{own, others} {
		w.steps[target] = firstStep(t, w.tokens["admin"], w.orders[target])
	}
	deactivated := newClient().as(w.tokens["admin"]).do(t, http.MethodPatch, fmt.Sprintf("/accounts/users/%d", inactive.id), map[string]any{"is_active": false})
	require.Equal(t, http.StatusOK, deactivated.status, deactivated.text)
	return w
}

func orderOf(t *testing.T, buyer member) uint64 {
	t.Helper()
	got := buyer.do(t, http.MethodPost, "/orders/", newOrder("p"))
	require.Equal(t, http.StatusCreated, got.status, got.text)
	return uint64(got.body["id"].(float64))
}

// firstStep is the id of the step with which an order's timeline begins.
func firstStep(t *testing.T, token string, order uint64) uint64 {
	t.Helper()
	got := newClient().as(token).do(t, http.MethodGet, fmt.Sprintf("/orders/%d/timeline", order), nil)
	require.Equal(t, http.StatusOK, got.status, got.text)
	return uint64(got.body["results"].([]any)[0].(map[string]any)["id"].(float64))
}

// path names the target. A route to a new kind of thing needs a member's own and another's in the world.
func (w *world) path(t *testing.T, route route, target string) string {
	t.Helper()
	if !route.namesOne() {
		return route.Pattern
	}
	collection, _, _ := strings.Cut(route.Pattern, "/:id")
	ids, known := map[string]map[string]uint64{
		"/accounts/users": w.ids, "/orders": w.orders, "/auth/sessions": w.session,
	}[collection]
	require.True(t, known, "the world has nothing for %s", route)
	path := strings.Replace(route.Pattern, ":id", strconv.FormatUint(ids[target], 10), 1)
	return strings.Replace(path, ":step", strconv.FormatUint(w.steps[target], 10), 1)
}

func TestTheAuthorizationMatrixHoldsForEveryRoute(t *testing.T) {
	t.Parallel()
	rows := special()
	for _, route := range listedRoutes(t) {
		body := bodies[route.String()]
		if body == nil {
			body = func(*world, uint64) any { return nil }
		}
		rows = append(rows, row{route: route, body: body, want: route.wanted(t)})
	}
	shared := newWorld(t, newAdmin(t))
	// Cells may end all sessions of their admin.
	admin := newAdmin(t)
	cells := 0
	for _, row := range rows {
		for target, want := range row.want {
			for i, caller := range callers {
				cells++
				w := shared
				if changes(row.route, want[i]) {
					w = newWorld(t, admin)
				}
				got := newClient().as(w.tokens[caller]).do(t, row.route.Method, w.path(t, row.route, target), row.body(w, w.ids[target]))
				status := got.status
				if status/100 == done/100 {
					status = done
				}
				require.Equal(t, want[i], status, "%s, %s resource, %s: %d %s", row.route, target, caller, got.status, got.text)
			}
		}
	}
	t.Logf("%d rows, %d cells", len(rows), cells)
}

// changes reports whether a request leaves a world in which the next cell would mean something else.
func changes(route route, status int) bool {
	if route.Method == http.MethodGet || status != done {
		return false
	}
	switch route.String() {
	case "POST /accounts/users", "POST /auth/login", "POST /orders/", "POST /orders", "PATCH /accounts/users/:id", "PATCH /orders/:id":
		return false
	default:
		return true
	}
}

// listedRoutes asks the gateway for its table.
func listedRoutes(t *testing.T) []route {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	listing, err := exec.CommandContext(ctx, filepath.Join(system.Data, "bin", "gateway"), "routes").Output()
	require.NoError(t, err)
	var routes []route
	require.NoError(t, json.Unmarshal(listing, &routes))
	require.NotEmpty(t, routes)
	for method := range bodies {
		require.True(t, slices.ContainsFunc(routes, func(route route) bool { return route.String() == method }), "a body for %s, which does not exist", method)
	}
	return routes
}
