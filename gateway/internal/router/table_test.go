package router

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parameter is one of a pattern's path parameters.
var parameter = regexp.MustCompile(`:(\w+)`)

// everything is the table of a gateway that serves pages.
var everything = slices.Concat(Routes, Pages)

func allRoutes(t *testing.T) *Table {
	t.Helper()
	table, err := NewTable(everything)
	require.NoError(t, err)
	return table
}

// pathOf writes a path that the pattern stands for.
func pathOf(pattern string) string { return parameter.ReplaceAllString(pattern, "a-Z_9") }

func TestEveryRowOfTheTableIsFoundAndNothingElseIsAllowedThere(t *testing.T) {
	t.Parallel()
	table := allRoutes(t)
	for _, row := range everything {
		resource, found := table.Find(pathOf(row.Pattern))
		require.True(t, found, row.Pattern)
		require.Equal(t, row.Pattern, resource.Pattern, "another row takes the path")
		require.Equal(t, row.Service, resource.Service)
		wanted := map[string]Access{}
		for _, other := range everything {
			if other.Pattern != row.Pattern {
				continue
			}
			for _, method := range other.Methods {
				wanted[method] = other.Access
			}
		}
		if access, found := wanted[http.MethodGet]; found {
			wanted[http.MethodHead] = access
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "OTHER", "get", ""} {
			access, allowed := resource.Access(method)
			require.Equal(t, wanted[method], access, "%s %s", method, row.Pattern)
			require.Equal(t, wanted[method] != "", allowed, "%s %s", method, row.Pattern)
		}
		taken := append(slices.Collect(maps.Keys(wanted)), "OPTIONS")
		slices.Sort(taken)
		require.Equal(t, strings.Join(taken, ", "), resource.Allow())
	}
}

// A route that becomes public must be named here, too: nobody makes one public by a slip.
func TestOnlyTheseRoutesArePublic(t *testing.T) {
	t.Parallel()
	var public []string
	for _, row := range Routes {
		if row.Access == Public {
			public = append(public, strings.Join(row.Methods, " ")+" "+row.Pattern)
		}
	}
	require.ElementsMatch(t, []string{
		"POST /accounts/users", "POST /auth/login", "POST /auth/refresh", "GET /.well-known/jwks.json",
	}, public)
	for _, row := range Pages {
		require.Equal(t, Route{[]string{http.MethodGet}, row.Pattern, PagesService, Public}, row, "pages are for everybody, and only read")
		require.NotContains(t, row.Pattern, ":")
	}
}

func TestPathThatIsNotWrittenAsInTheTableIsUnknown(t *testing.T) {
	t.Parallel()
	table := allRoutes(t)
	for _, path := range []string{
		"", "//", "*", "orders", "//orders/", "/orders//", "/orders/1/", "/orders/1/2", "/orders/1/timeline/", "/orders//timeline", "/orders/1/Timeline", "/orders/timeline/1", "/Orders/", "/ORDERS/1",
		"/accounts", "/accounts/", "/accounts/users/", "/accounts//users", "/accounts/users/1/", "/accounts/users/1/orders",
		"/accounts/users/..%2f..", "/accounts/users/..", "/accounts/users/.", "/accounts/users/%2e%2e", "/accounts/users/1%2f2",
		"/accounts/users/%31", "/accounts/%75sers", "/accounts/users/1;a=b", "/accounts/users/1.json", "/accounts/users/가",
		"/accounts/users/%00", "/accounts/users/1%20", "/orders/1#x", `/orders\1`, "/orders/:id/", "/orders/:id",
		"/auth/login/", "/auth/logout/x", "/auth/sessions/", "/auth/sessions/1/2", "/audit", "/internal/revocations", "/auth", "/.well-known", "/.well-known/jwks.json/", "/./orders/", "/x/../orders/",
		"/index.html", "/swagger/index.html", "/swagger//", "/SWAGGER/", "/swagger.json/", "/swagger.yml", "/swagger%2ejson", "/redoc/x",
		"/assets", "/assets/", "/assets/start", "/assets/../swagger/", "/assets/start.css/", "/assets//start.css", "/favicon.ico",
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

func TestRowThatDoesNotSayWhoMayUseItIsRefused(t *testing.T) {
	t.Parallel()
	for _, access := range []Access{"", "anyone"} {
		_, err := NewTable([]Route{{methods(http.MethodGet), "/a", "accounts", access}})
		require.ErrorContains(t, err, "/a")
	}
}
