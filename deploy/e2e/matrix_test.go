package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The matrix: every route × who asks × whose resource it is → the status. A route without a row fails the test.

// callers, in the order of the columns. Revoked and expired tokens were the subject member's own.
var callers = [...]string{"anonymous", "member", "other member", "admin", "revoked", "expired", "deactivated"}

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

// The targets: whose resource the request is about, as seen by the subject member.
const (
	own     = "own"
	others  = "other's"
	missing = "missing"
	none    = "" // the route has no owner
)

const missingID = 999_999_999

type row struct {
	method  string
	pattern string
	body    func(w *world, id uint64) any // id of the target's member
	want    map[string]columns
}

func noBody(*world, uint64) any { return nil }

func memberRows(method string, body func(*world, uint64) any, ok, foreign int) row {
	return row{method, "/accounts/users/:id", body, map[string]columns{
		own:     onlyMembers(ok, foreign, ok),
		others:  onlyMembers(foreign, foreign, ok),
		missing: onlyMembers(404, 404, 404),
	}}
}

func orderRows(method, pattern string, body func(*world, uint64) any, ok int) row {
	return row{method, pattern, body, map[string]columns{
		own:     onlyMembers(ok, 404, ok),
		others:  onlyMembers(404, 404, ok),
		missing: onlyMembers(404, 404, 404),
	}}
}

func collection(method, pattern string, want columns) row {
	return row{method, pattern, noBody, map[string]columns{none: want}}
}

func matrix() []row {
	newOrderFor := func(_ *world, id uint64) any { return map[string]any{"customer": id, "product_name": "p"} }
	changeOrder := func(*world, uint64) any { return newOrder("q") }
	nickname := func(*world, uint64) any { return map[string]any{"nickname": "matrix"} }
	whole := func(w *world, id uint64) any { return newMember(w.emailOf(id)) }
	cancellation := func(*world, uint64) any { return map[string]any{"to": "cancelled"} }
	orderCreation := map[string]columns{
		own: onlyMembers(201, 403, 201), others: onlyMembers(403, 403, 201), missing: onlyMembers(403, 403, 400),
	}
	return []row{
		{http.MethodPost, "/accounts/users", func(*world, uint64) any { return newMember(unique() + "@e2e.test") },
			map[string]columns{none: anyone(201)}},
		collection(http.MethodGet, "/accounts/users", onlyMembers(200, 200, 200)),
		memberRows(http.MethodGet, noBody, 200, 200),
		memberRows(http.MethodPut, whole, 200, 403),
		memberRows(http.MethodPatch, nickname, 200, 403),
		memberRows(http.MethodDelete, noBody, 204, 403),
		{http.MethodPost, "/auth/login", credentialsOf, map[string]columns{own: anyone(200), others: anyone(200), missing: anyone(400)}},
		collection(http.MethodPost, "/auth/logout", onlyMembers(204, 204, 204)),
		collection(http.MethodPost, "/auth/logoutall", onlyMembers(204, 204, 204)),
		{http.MethodPost, "/auth/refresh", refreshTokenOf, map[string]columns{own: anyone(200), others: anyone(200), missing: anyone(401)}},
		collection(http.MethodGet, "/auth/sessions", onlyMembers(200, 200, 200)),
		{http.MethodDelete, "/auth/sessions/:id", noBody, map[string]columns{
			own: onlyMembers(204, 404, 204), others: onlyMembers(404, 404, 204), missing: onlyMembers(404, 404, 404),
		}},
		collection(http.MethodGet, "/audit/events", onlyMembers(403, 403, 200)),
		collection(http.MethodGet, "/.well-known/jwks.json", anyone(200)),
		collection(http.MethodGet, "/orders/", onlyMembers(200, 200, 200)),
		collection(http.MethodGet, "/orders", onlyMembers(200, 200, 200)),
		{http.MethodPost, "/orders/", newOrderFor, orderCreation},
		{http.MethodPost, "/orders", newOrderFor, orderCreation},
		orderRows(http.MethodGet, "/orders/:id", noBody, 200),
		orderRows(http.MethodPut, "/orders/:id", changeOrder, 200),
		orderRows(http.MethodPatch, "/orders/:id", changeOrder, 200),
		orderRows(http.MethodDelete, "/orders/:id", noBody, 204),
		orderRows(http.MethodPost, "/orders/:id/transitions", cancellation, 200),
		orderRows(http.MethodGet, "/orders/:id/timeline", noBody, 200),
	}
}

// world holds the members of one cell, made anew for each row that changes something.
type world struct {
	tokens  map[string]string // by caller
	ids     map[string]uint64 // of members, by target
	orders  map[string]uint64
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
		session: map[string]uint64{missing: missingID},
		refresh: map[uint64]string{},
		emails:  map[uint64]string{subject.id: subject.email, third.id: third.email},
	}
	w.tokens["admin"], _, _ = login(t, admin.email)
	w.tokens["revoked"], _, _ = login(t, subject.email)
	require.Equal(t, http.StatusNoContent, newClient().as(w.tokens["revoked"]).do(t, http.MethodPost, "/auth/logout", nil).status)
	w.tokens["expired"] = expiredToken(t, subject.token)
	_, w.session[own], w.refresh[subject.id] = login(t, subject.email)
	_, w.session[others], w.refresh[third.id] = login(t, third.email)
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

func (w *world) path(row row, target string) string {
	id := w.ids[target]
	switch {
	case strings.HasPrefix(row.pattern, "/orders"):
		id = w.orders[target]
	case strings.HasPrefix(row.pattern, "/auth/sessions"):
		id = w.session[target]
	}
	return strings.Replace(row.pattern, ":id", strconv.FormatUint(id, 10), 1)
}

func TestTheAuthorizationMatrixHoldsForEveryRoute(t *testing.T) {
	t.Parallel()
	rows := matrix()
	requireEveryRoute(t, rows)
	shared := newWorld(t, newAdmin(t))
	// Cells may end all sessions of their admin.
	admin := newAdmin(t)
	cells := 0
	for _, row := range rows {
		for target, want := range row.want {
			for i, caller := range callers {
				cells++
				w := shared
				if changes(row, want[i]) {
					w = newWorld(t, admin)
				}
				client := newClient().as(w.tokens[caller])
				got := client.do(t, row.method, w.path(row, target), row.body(w, w.ids[target]))
				require.Equal(t, want[i], got.status, "%s %s, %s resource, %s: %s", row.method, row.pattern, target, caller, got.text)
			}
		}
	}
	t.Logf("%d routes, %d cells", len(rows), cells)
}

// changes reports whether a request leaves a world in which the next cell would mean something else.
func changes(row row, status int) bool {
	if row.method == http.MethodGet || status >= http.StatusBadRequest {
		return false
	}
	return row.method == http.MethodDelete || strings.HasSuffix(row.pattern, "/transitions") ||
		strings.HasPrefix(row.pattern, "/auth/") && row.pattern != "/auth/login" || row.method == http.MethodPut
}

func requireEveryRoute(t *testing.T, rows []row) {
	t.Helper()
	held := map[string]bool{}
	for _, row := range rows {
		held[row.method+" "+row.pattern] = true
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	listing, err := exec.CommandContext(ctx, filepath.Join(system.data, "bin", "gateway"), "routes").Output()
	require.NoError(t, err)
	var routes []struct{ Method, Pattern string }
	require.NoError(t, json.Unmarshal(listing, &routes))
	require.NotEmpty(t, routes)
	for _, route := range routes {
		require.True(t, held[route.Method+" "+route.Pattern], "%s %s has no row in the matrix", route.Method, route.Pattern)
		delete(held, route.Method+" "+route.Pattern)
	}
	require.Empty(t, held, "rows without a route")
}
