package router

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The reference has its own words for who may use a route.
var who = map[Access]string{Public: "anyone", Member: "members", Owner: "own", Self: "own", Admin: "admins"}

// parameter is one of a pattern's path parameters.
var parameter = regexp.MustCompile(`:(\w+)`)

func TestTheReferenceNamesEveryRouteAndWhoMayUseItAndNoOther(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../API.md")
	require.NoError(t, err)
	var named, wanted []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z]+(?:`, `[A-Z]+)*) (/[^`]*)` \\| ([a-z]+) \\|").FindAllStringSubmatch(string(text), -1) {
		for method := range strings.SplitSeq(row[1], "`, `") {
			named = append(named, method+" "+row[2]+" "+row[3])
		}
	}
	for _, route := range Routes {
		if slices.ContainsFunc(Routes, func(other Route) bool { return other.Pattern == route.Pattern+"/" }) {
			continue // said once, for both
		}
		for _, method := range route.Methods {
			wanted = append(wanted, method+" "+parameter.ReplaceAllString(route.Pattern, "{$1}")+" "+who[route.Access])
		}
	}
	require.ElementsMatch(t, wanted, named)
}
