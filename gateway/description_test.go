package gateway_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"oms.internal/gateway"
	"oms.internal/gateway/internal/router"
)

// described is what these tests read of the description.
type described struct {
	Security []requirement
	Paths    map[string]map[string]yaml.Node
}

// operation is one method of one path.
type operation struct {
	OperationID string         `yaml:"operationId"`
	Security    *[]requirement // nil for that of the description
	Parameters  []reference
	Responses   map[string]reference
}

type reference struct {
	Ref string `yaml:"$ref"`
}

// requirement names a security scheme, and who may ask.
type requirement map[string][]string

// parameter is one of a pattern's path parameters.
var parameter = regexp.MustCompile(`:(\w+)`)

func read(t *testing.T) described {
	t.Helper()
	var description described
	require.NoError(t, yaml.Unmarshal(gateway.Description, &description))
	return description
}

// operations returns those of the description by method and path.
func (d described) operations(t *testing.T) map[string]operation {
	t.Helper()
	found := map[string]operation{}
	for path, item := range d.Paths {
		for method, node := range item {
			if method == "parameters" {
				continue
			}
			var one operation
			require.NoError(t, node.Decode(&one), "%s %s", method, path)
			if one.Security == nil {
				one.Security = &d.Security
			}
			found[strings.ToUpper(method)+" "+path] = one
		}
	}
	return found
}

// access returns who may use the operation, in the words of the table of routes.
func (o operation) access(t *testing.T) router.Access {
	t.Helper()
	if len(*o.Security) == 0 {
		return router.Public
	}
	require.Len(t, *o.Security, 2, "a token is sent under one of two schemes")
	role := (*o.Security)[0]["Token"]
	require.Len(t, role, 1, o.OperationID)
	require.Equal(t, []requirement{{"Token": role}, {"Bearer": role}}, *o.Security, o.OperationID)
	return router.Access(role[0])
}

func TestTheDescriptionNamesEveryRouteAndWhoMayUseItAndNoOther(t *testing.T) {
	t.Parallel()
	wanted, named := map[string]router.Access{}, map[string]router.Access{}
	for _, route := range router.Routes {
		if slices.ContainsFunc(router.Routes, func(other router.Route) bool { return other.Pattern == route.Pattern+"/" }) {
			continue // described once, for both
		}
		for _, method := range route.Methods {
			wanted[method+" "+parameter.ReplaceAllString(route.Pattern, "{$1}")] = route.Access
		}
	}
	for name, one := range read(t).operations(t) {
		named[name] = one.access(t)
	}
	require.Equal(t, wanted, named)
}

func TestAPathWithoutItsSlashTakesWhatTheDescribedOneTakes(t *testing.T) {
	t.Parallel()
	table, err := router.NewTable(router.Routes)
	require.NoError(t, err)
	for path := range read(t).Paths {
		other, slash := strings.CutSuffix(path, "/")
		if !slash || other == "" {
			continue
		}
		with, found := table.Find(path)
		require.True(t, found)
		without, found := table.Find(other)
		require.True(t, found, other)
		require.Equal(t, with.Service, without.Service)
		require.Equal(t, with.Allow(), without.Allow())
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			one, _ := with.Access(method)
			same, _ := without.Access(method)
			require.Equal(t, one, same, "%s %s", method, other)
		}
	}
}

func TestEveryOperationHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	names := map[string]string{}
	for route, one := range read(t).operations(t) {
		require.Regexp(t, `^[a-z][a-zA-Z]+$`, one.OperationID, route)
		require.Empty(t, names[one.OperationID], "%s and %s have one name", route, names[one.OperationID])
		names[one.OperationID] = route
	}
}

// What is refused before a service hears of the request, and what any service may fail with.
var everywhere = []string{"400", "413", "415", "417", "429", "500", "503", "504"}

func TestEveryOperationDescribesTheRefusalsThatAnyRequestMayHear(t *testing.T) {
	t.Parallel()
	for route, one := range read(t).operations(t) {
		for _, status := range everywhere {
			require.Contains(t, one.Responses, status, route)
		}
		if one.access(t) != router.Public {
			require.Contains(t, one.Responses, "401", route)
		}
		if one.access(t) == router.Admin || one.access(t) == router.Self {
			require.Contains(t, one.Responses, "403", route)
		}
		if strings.Contains(route, "{id}") {
			require.Contains(t, one.Responses, "404", route)
		}
	}
}

func TestAnExportTakesTheSearchAndTheFiltersOfItsList(t *testing.T) {
	t.Parallel()
	found := read(t).operations(t)
	for list, export := range map[string]string{"GET /orders/": "GET /orders/export", "GET /accounts/users": "GET /accounts/export"} {
		wanted := []reference{{"#/components/parameters/Format"}}
		for _, one := range found[list].Parameters {
			_, name, _ := strings.Cut(one.Ref, "/parameters/")
			if !slices.Contains([]string{"Limit", "Offset", "Cursor"}, name) && !strings.HasSuffix(name, "Ordering") {
				wanted = append(wanted, one)
			}
		}
		require.ElementsMatch(t, wanted, found[export].Parameters, export)
	}
}
