package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadURLsAreRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin := a.admin(t)
	before := a.store.Writes()
	for path, status := range map[string]int{
		"/accounts/users/abc": 404, "/accounts/users/0": 404, "/accounts/users/12345": 404, "/accounts/users/18446744073709551616": 404,
		"/accounts/users/1%27%20OR%201=1": 404, "/accounts/users/1/x": 404, "/nowhere": 404, "/": 404,
		"/accounts/users/%00": 400, "/accounts/users/%ff": 400,

		"/accounts/users?cursor=abc": 404, "/accounts/users?cursor=e30": 404,
		"/accounts/users?search=%00": 400, "/accounts/users?search=%ff": 400,
		"/accounts/users?search=%ed%a0%80": 400, "/accounts/users?email=%00": 400, "/accounts/users?name=%c3%28": 400,
		"/accounts/users?search=a+b+c+d+e+f+g+h+i": 400, "/accounts/users?search=" + strings.Repeat("a", 101): 400,
		"/accounts/users?ordering=%ff": 400,
	} {
		got := a.ask(t, admin, http.MethodGet, path, "")
		require.Equal(t, status, got.status, "%s: %s", path, got.body)
		got.problem(t)
		if strings.HasPrefix(path, "/accounts/users/") {
			for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
				got := a.ask(t, admin, method, path, signUpBody("b@x.test"))
				require.Equal(t, status, got.status, "%s %s: %s", method, path, got.body)
			}
		}
	}
	require.Equal(t, before, a.store.Writes())
}

func TestOddButHarmlessListParametersAreServed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin := a.admin(t)
	for _, query := range []string{
		"limit=abc&offset=-3", "limit=501", "offset=1e3", "limit=", "limit=0", "limit=500", "offset=2147483647", "ordering=nonsense", "ordering=,,-,--id", "ordering=password_hash",
		"search=%25", "search=%5C", "search=%27%22%3B--", "search=%F0%9F%8D%A4", "email=%27", "name=%5C", "unknown=1", "limit=1&limit=2",
		"search=,,,", "ordering=-email,name,phone,gender,nickname,id", "search=a+b+c+d+e+f+g+h",
	} {
		got := a.ask(t, admin, http.MethodGet, "/accounts/users?"+query, "")
		require.Equal(t, http.StatusOK, got.status, "%s: %s", query, got.body)
	}
}

func TestAWrongMethodSaysWhichAreRight(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin := a.admin(t)
	for _, test := range []struct{ method, path, allow string }{
		{http.MethodGet, "/auth/login", "POST"},
		{http.MethodPut, "/accounts/users", "GET, POST"},
		{http.MethodPost, "/accounts/users/1", "GET, PUT, PATCH, DELETE"},
		{http.MethodDelete, "/.well-known/jwks.json", "GET"},
	} {
		got := a.ask(t, admin, test.method, test.path, "")
		require.Equal(t, http.StatusMethodNotAllowed, got.status, test.path)
		require.Equal(t, fmt.Sprintf("Method %q not allowed.", test.method), got.problem(t)["detail"])
		for method := range strings.SplitSeq(test.allow, ", ") {
			require.Contains(t, got.header.Get("Allow"), method, test.path)
		}
	}
}
