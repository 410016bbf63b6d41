package routes

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheReferenceNamesEveryRouteAndNoOther(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../API.md")
	require.NoError(t, err)
	var named, wanted []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z]+(?:`, `[A-Z]+)*) (/[^`]*)` \\|").FindAllStringSubmatch(string(text), -1) {
		for method := range strings.SplitSeq(row[1], "`, `") {
			named = append(named, method+" "+row[2])
		}
	}
	for _, route := range All {
		if slices.ContainsFunc(All, func(other Route) bool { return other.Pattern == route.Pattern+"/" }) {
			continue // said once, for both
		}
		for _, method := range route.Methods {
			wanted = append(wanted, method+" "+strings.ReplaceAll(route.Pattern, ":id", "{id}"))
		}
	}
	require.ElementsMatch(t, wanted, named)
}
