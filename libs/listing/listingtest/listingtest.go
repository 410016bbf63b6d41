// Package listingtest holds what is described of a list to its declaration, and pages lists for fakes.
package listingtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"oms.internal/libs/listing"
)

// parameter is one of the query parameters of a list in the description of the API, which is OpenAPI.
type parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Description string
	Schema      struct{ Items struct{ Enum []string } }
}

type description struct {
	Paths map[string]struct {
		Get struct{ Parameters []parameter }
	}
	Components struct {
		Parameters map[string]parameter
		Schemas    map[string]struct{ Enum []string }
	}
}

func read(t *testing.T, text []byte) description {
	t.Helper()
	var described description
	require.NoError(t, yaml.Unmarshal(text, &described))
	return described
}

// paging are the parameters that every list has, whatever is declared of it.
var paging = []string{"limit", "offset", "cursor"}

// queries returns the query parameters of the list at a path by name.
func queries(t *testing.T, text []byte, path string) map[string]parameter {
	t.Helper()
	described := read(t, text)
	found := map[string]parameter{}
	for _, one := range described.Paths[path].Get.Parameters {
		if name, isRef := strings.CutPrefix(one.Ref, "#/components/parameters/"); isRef {
			one = described.Components.Parameters[name]
		}
		if one.In == "query" {
			found[one.Name] = one
		}
	}
	for _, name := range paging {
		require.Contains(t, found, name, path)
		delete(found, name)
	}
	return found
}

// RequireDescribed demands that the description of the list at a path names the filters, the searched fields and the orderings that are
// declared for whoever may ask for most, and no others.
func RequireDescribed(t *testing.T, text []byte, path string, list listing.List) {
	t.Helper()
	found := queries(t, text, path)
	if len(list.Search) > 0 {
		require.Contains(t, found["search"].Description, "search in "+strings.Join(list.Search, ", "), path)
		delete(found, "search")
	}
	var orderings []string
	for _, field := range list.Ordering {
		orderings = append(orderings, field, "-"+field)
	}
	require.ElementsMatch(t, orderings, found["ordering"].Schema.Items.Enum, path)
	delete(found, "ordering")
	for _, filter := range list.Filters {
		require.Contains(t, found, filter.Param, path)
		delete(found, filter.Param)
	}
	require.Empty(t, found, "parameters of %s that are not declared", path)
}

// RequireDescribedFor demands that the description tells those who may ask for less, under the name that it has for them, what is declared
// for them.
func RequireDescribedFor(t *testing.T, text []byte, path, who string, list listing.List) {
	t.Helper()
	found := queries(t, text, path)
	require.Contains(t, found["search"].Description, who+" search in "+strings.Join(list.Search, ", "))
	require.Contains(t, found["ordering"].Description, who+" may order by `"+strings.Join(list.Ordering, "`, `")+"`")
	delete(found, "search")
	delete(found, "ordering")
	for _, filter := range list.Filters {
		require.NotContains(t, found[filter.Param].Description, "For admins", filter.Param)
		delete(found, filter.Param)
	}
	for name, one := range found {
		require.Contains(t, one.Description, "For admins", name)
	}
}

// RequireChoices demands that a schema of the description takes these names and no others. Choices of filters are such names, and answers
// have them.
func RequireChoices(t *testing.T, text []byte, schema string, names []string) {
	t.Helper()
	require.ElementsMatch(t, names, read(t, text).Components.Schemas[schema].Enum, schema)
}
