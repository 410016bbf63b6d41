package store_test

import (
	"database/sql"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// planCases hold, for every generated query that an index must serve, the arguments with which it is explained: in the
// order of the question marks, small and deep offsets, frequent and rare values, empty and full batches.
var planCases = map[string][][]any{
	"GetMember":          {{100}, {0}},
	"GetMemberForUpdate": {{100}, {0}},
	"GetMemberByEmail":   {{someEmail}, {"nobody@x.test"}},
	"ListMembersByIDs":   {{1}, slices.Repeat([]any{77}, 30), someIDs(500)},
	"CountMembers":       {{}},
	"CountMembersNamed":  {{frequent}, {rare}, {"Nobody"}},

	"ListMemberIDsOrderByID":           pages,
	"ListMemberIDsOrderByIDDesc":       pages,
	"ListMemberIDsOrderByEmail":        pages,
	"ListMemberIDsOrderByEmailDesc":    pages,
	"ListMemberIDsOrderByName":         pages,
	"ListMemberIDsOrderByNameDesc":     pages,
	"ListMemberIDsOrderByNickname":     pages,
	"ListMemberIDsOrderByNicknameDesc": pages,
	"ListMemberIDsOrderByPhone":        pages,
	"ListMemberIDsOrderByPhoneDesc":    pages,
	"ListMemberIDsOrderByGender":       pages,
	"ListMemberIDsOrderByGenderDesc":   pages,
	"ListMemberIDsNamedOrderByID":      namedPages,
	"ListMemberIDsNamedOrderByIDDesc":  namedPages,
	"ListMemberIDsWithEmail":           {{someEmail, "", ""}, {someEmail, frequent, frequent}},
	"MatchMember":                      {{100, "%im%", "%im%"}},

	"UpdateMember":             {{"e", "e", "n", "n", "p", nil, "h", false, 100}},
	"UpdateMemberPasswordHash": {{"new", 100, "old"}},
	"DeleteMember":             {{100}},

	"GetLatestSessionID":     {{100}, {0}},
	"ListRevokedSessions":    {{0, now, 5000}, {manyRows / 2, now, 5000}, {manyRows * 2, now, 5000}, {0, now, 10}},
	"RevokeSession":          {{now, 100, 100}},
	"RevokeSessionsOfMember": {{now, 100, 1 << 62}},
	"DeleteExpiredSessions":  {{now, 1000}, {now.Add(-1000 * 3600e9), 1000}},
}

// exempt are the queries without an index, each with its reason.
var exempt = map[string]string{
	"InsertMember":      "has no plan",
	"InsertSession":     "has no plan",
	"SearchMemberIDs":   "substring search and orderings by several fields read the whole table",
	"CountMembersFound": "substring search",
	"MatchMembers":      "substring search",
}

var (
	pages      = [][]any{{30, 0}, {1, 0}, {500, 1000}, {30, manyRows / 2}, {30, manyRows - 30}, {30, 1<<31 - 1}}
	namedPages = [][]any{{frequent, 30, 0}, {frequent, 30, manyRows / 20}, {rare, 30, 0}, {"Nobody", 500, 1000}}
)

func someIDs(count int) []any {
	var ids []any
	for i := range count {
		ids = append(ids, i*manyRows/count)
	}
	return ids
}

func TestAnIndexServesEveryQueryAt200000Members(t *testing.T) { //nolint:paralleltest // it fills the disk's queue
	f := newStore(t)
	f.fillMany(t)
	queries := generatedQueries(t)
	known := slices.Concat(slices.Collect(maps.Keys(planCases)), slices.Collect(maps.Keys(exempt)))
	require.ElementsMatch(t, slices.Collect(maps.Keys(queries)), known, "every generated query has plan cases or a reason to have none")
	for name, cases := range planCases {
		for _, args := range cases {
			query := strings.Replace(queries[name], "/*SLICE:ids*/?", strings.TrimSuffix(strings.Repeat("?,", len(args)), ","), 1)
			for _, step := range f.explain(t, query, args) {
				require.NotEqual(t, "ALL", step["type"], "%s %v scans the table: %v", name, args, step)
				if strings.Contains(query, "WHERE") { // without one, walking an index to the page is what it is for
					require.NotEqual(t, "index", step["type"], "%s %v scans an index: %v", name, args, step)
				}
				require.NotContains(t, step["Extra"], "filesort", "%s %v sorts: %v", name, args, step)
				require.NotContains(t, step["Extra"], "temporary", "%s %v makes a table: %v", name, args, step)
			}
		}
	}
}

// generatedQueries reads the text of every query from the code that sqlc wrote.
func generatedQueries(t *testing.T) map[string]string {
	t.Helper()
	title := regexp.MustCompile(`^-- name: (\w+) :`)
	files, err := filepath.Glob("sqlcgen/*.sql.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	queries := map[string]string{}
	for _, path := range files {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			if found := title.FindStringSubmatch(text); found != nil {
				queries[found[1]] = text
			}
			return true
		})
	}
	return queries
}

// explain returns the steps of a query's plan by column, in the tabular form that both engines know.
func (f fixture) explain(t *testing.T, query string, args []any) []map[string]string {
	t.Helper()
	rows, err := f.db.QueryContext(t.Context(), "EXPLAIN FORMAT=TRADITIONAL "+query, args...)
	require.NoError(t, err, query)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	require.Contains(t, columns, "Extra", "not the tabular form")
	var plan []map[string]string
	for rows.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		require.NoError(t, rows.Scan(targets...))
		step := map[string]string{}
		for i, column := range columns {
			step[column] = values[i].String
		}
		plan = append(plan, step)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, plan, query)
	return plan
}
