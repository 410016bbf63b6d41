package routes

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func allRoutes(t *testing.T) *Table {
	t.Helper()
	table, err := NewTable(All)
	require.NoError(t, err)
	return table
}

func TestEveryMethodOfEveryPathIsDecided(t *testing.T) {
	t.Parallel()
	table := allRoutes(t)
	const (
		get  = "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
		list = "GET, HEAD, OPTIONS, POST"
	)
	for _, test := range []struct {
		path, pattern, service, allow string
		public                        []string
	}{
		{"/accounts/users", "/accounts/users", "accounts", list, []string{"POST"}},
		{"/accounts/users/1", "/accounts/users/:id", "accounts", get, nil},
		{"/accounts/users/abc", "/accounts/users/:id", "accounts", get, nil},
		{"/auth/login", "/auth/login", "accounts", "OPTIONS, POST", []string{"POST"}},
		{"/auth/logout", "/auth/logout", "accounts", "OPTIONS, POST", nil},
		{"/auth/logoutall", "/auth/logoutall", "accounts", "OPTIONS, POST", nil},
		{"/auth/refresh", "/auth/refresh", "accounts", "OPTIONS, POST", []string{"POST"}},
		{"/auth/sessions", "/auth/sessions", "accounts", "GET, HEAD, OPTIONS", nil},
		{"/auth/sessions/12", "/auth/sessions/:id", "accounts", "DELETE, OPTIONS", nil},
		{"/audit/events", "/audit/events", "accounts", "GET, HEAD, OPTIONS", nil},
		{"/.well-known/jwks.json", "/.well-known/jwks.json", "accounts", "GET, HEAD, OPTIONS", []string{"GET", "HEAD"}},
		{"/orders", "/orders", "orders", list, nil},
		{"/orders/", "/orders/", "orders", list, nil},
		{"/orders/12", "/orders/:id", "orders", get, nil},
		{"/orders/12/transitions", "/orders/:id/transitions", "orders", "OPTIONS, POST", nil},
		{"/orders/12/timeline", "/orders/:id/timeline", "orders", "GET, HEAD, OPTIONS", nil},
	} {
		resource, found := table.Find(test.path)
		require.True(t, found, test.path)
		require.Equal(t, test.pattern, resource.Pattern)
		require.Equal(t, test.service, resource.Service)
		require.Equal(t, test.allow, resource.Allow(), test.path)
		require.Equal(t, len(test.public) > 0, resource.AnyPublic(), test.path)
		var public []string
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			if access, allowed := resource.Access(method); allowed && access == Public {
				public = append(public, method)
			}
		}
		require.Equal(t, test.public, public, test.path)
		for _, method := range []string{"TRACE", "CONNECT", "OTHER", "get", ""} {
			_, allowed := resource.Access(method)
			require.False(t, allowed, "%s %s", method, test.path)
		}
	}
}

func TestPathThatIsNotWrittenAsInTheTableIsUnknown(t *testing.T) {
	t.Parallel()
	table := allRoutes(t)
	for _, path := range []string{
		"", "/", "*", "orders", "//orders/", "/orders//", "/orders/1/", "/orders/1/2", "/orders/1/timeline/", "/orders//timeline", "/orders/1/Timeline", "/orders/timeline/1", "/Orders/", "/ORDERS/1",
		"/accounts", "/accounts/", "/accounts/users/", "/accounts//users", "/accounts/users/1/", "/accounts/users/1/orders",
		"/accounts/users/..%2f..", "/accounts/users/..", "/accounts/users/.", "/accounts/users/%2e%2e", "/accounts/users/1%2f2",
		"/accounts/users/%31", "/accounts/%75sers", "/accounts/users/1;a=b", "/accounts/users/1.json", "/accounts/users/가",
		"/accounts/users/%00", "/accounts/users/1%20", "/orders/1#x", `/orders\1`, "/orders/:id/", "/orders/:id",
		"/auth/login/", "/auth/logout/x", "/auth/sessions/", "/auth/sessions/1/2", "/audit", "/internal/revocations", "/auth", "/.well-known", "/.well-known/jwks.json/", "/./orders/", "/x/../orders/",
	} {
		_, found := table.Find(path)
		require.False(t, found, path)
	}
}

func TestContradictingRowsAreRefused(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]Route{
		"two services": {
			{methods(http.MethodGet), "/a", "accounts", Member},
			{methods(http.MethodPost), "/a", "orders", Member},
		},
		"method twice": {
			{methods(http.MethodGet), "/a", "accounts", Member},
			{methods(http.MethodHead), "/a", "accounts", Public},
		},
	} {
		_, err := NewTable(rows)
		require.Error(t, err, name)
	}
}

func TestRowThatDoesNotSayIsNotPublic(t *testing.T) {
	t.Parallel()
	table, err := NewTable([]Route{{Methods: methods(http.MethodGet), Pattern: "/a", Service: "accounts"}})
	require.NoError(t, err)
	resource, found := table.Find("/a")
	require.True(t, found)
	access, allowed := resource.Access(http.MethodGet)
	require.True(t, allowed)
	require.Equal(t, Member, access)
}
