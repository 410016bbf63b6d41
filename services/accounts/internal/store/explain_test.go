package store_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
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
	"time"

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

	"UpdateMember":             {{"e", "e", "n", "n", "p", nil, "h", false, true, 100}},
	"UpdateMemberPasswordHash": {{"new", 100, "old"}},
	"DeleteMember":             {{100}},

	"GetSession":             {{100}, {0}},
	"GetSessionForUpdate":    {{100}, {0}},
	"GetLatestSessionID":     {{100}, {0}},
	"ListLiveSessionIDs":     {{100, now, 30, 0}, {100, now, 1, 60}, {100, now, 500, 1000}, {0, now, 30, 0}},
	"CountLiveSessions":      {{100, now}, {0, now}},
	"ListSessionsByIDs":      {{1}, slices.Repeat([]any{77}, 30), someIDs(500)},
	"ExtendSession":          {{later, 100}},
	"UpdateSessionsSeen":     {{"100", now, 100}, slices.Concat(someIDs(500), slices.Repeat([]any{now}, 500), someIDs(500))},
	"RevokeSession":          {{now, 100, 100}},
	"RevokeSessionsOfMember": {{now, 100, 1 << 62, 0}, {now, 100, 1 << 62, 100}},
	"ForgetOriginsOfMember":  {{100}, {0}},
	"DeleteExpiredSessions":  sweeps,

	"GetRefreshToken":            {{digest(7)}, {digest(-1)}},
	"GetRefreshTokenForUpdate":   {{digest(7)}, {digest(-1)}},
	"GetMemberIDOfRefreshToken":  {{digest(7)}, {digest(-1)}},
	"UseRefreshToken":            {{now, digest(7)}},
	"DeleteExpiredRefreshTokens": sweeps,

	"NextRevocation":           {{}},
	"GetLatestRevocation":      {{}},
	"ListRevocations":          {{0, fewRows, now, 5000}, {fewRows - 100, fewRows, now, 5000}, {fewRows - 1, fewRows, now, 5000}, {0, fewRows, now, 10}},
	"DeleteExpiredRevocations": sweeps,

	"ListLoginFailures":          {{digest(1), digest(2), digest(3), 7, digest(3)}},
	"DeleteLoginFailures":        {{digest(1), digest(2)}},
	"DeleteOldLoginFailures":     sweeps,
	"CountKnownDevices":          {{7}, {0}},
	"DeleteKnownDevicesOfMember": {{7}, {0}},
	"DeleteOldKnownDevices":      sweeps,

	"ListAuditEventsByIDs":       {{1}, slices.Repeat([]any{77}, 30), someIDs(500)},
	"ListAuditEventIDs":          eventPages(),
	"ListAuditEventIDsByAction":  eventPages("logout"),
	"ListAuditEventIDsByActor":   eventPages(7),
	"ListAuditEventIDsBySubject": eventPages(7),
	"ListAuditEventIDsByOutcome": eventPages("failure"),
	"CountAuditEvents":           {eventTimes()},
	"CountAuditEventsByAction":   {eventTimes("logout"), eventTimes("nothing")},
	"CountAuditEventsByActor":    {eventTimes(7), eventTimes(0)},
	"CountAuditEventsBySubject":  {eventTimes(7), eventTimes(0)},
	"CountAuditEventsByOutcome":  {eventTimes("failure")},
}

// indexes are those that must serve a query, for tables where another one would do as well as long as there are few rows.
// A query for ids or their number reads nothing else: a page skips index entries and never rows.
var indexes = map[string]string{
	"ListLiveSessionIDs": "sessions_live", "CountLiveSessions": "sessions_live", "ListSessionsByIDs": "PRIMARY",
	"DeleteExpiredSessions": "sessions_expires", "GetRefreshTokenForUpdate": "PRIMARY",
	"DeleteExpiredRefreshTokens": "refresh_tokens_expires", "ListRevocations": "PRIMARY",
	"DeleteExpiredRevocations": "revocations_valid", "DeleteOldLoginFailures": "login_failures_failed",
	"DeleteOldKnownDevices": "known_devices_login", "ListAuditEventsByIDs": "PRIMARY",
	"ListAuditEventIDs": "audit_events_at", "CountAuditEvents": "audit_events_at",
	"ListAuditEventIDsByAction": "audit_events_action", "CountAuditEventsByAction": "audit_events_action",
	"ListAuditEventIDsByActor": "audit_events_actor", "CountAuditEventsByActor": "audit_events_actor",
	"ListAuditEventIDsBySubject": "audit_events_subject", "CountAuditEventsBySubject": "audit_events_subject",
	"ListAuditEventIDsByOutcome": "audit_events_outcome", "CountAuditEventsByOutcome": "audit_events_outcome",
}

// exempt are the queries without an index, each with its reason.
var exempt = map[string]string{
	"InsertMember":             "has no plan",
	"InsertSession":            "has no plan",
	"InsertRefreshToken":       "has no plan",
	"InsertRevocation":         "has no plan",
	"InsertAuditEvent":         "has no plan",
	"AddLoginFailure":          "has no plan",
	"UpsertKnownDevice":        "has no plan",
	"SearchMemberIDs":          "substring search and orderings by several fields read the whole table",
	"CountMembersFound":        "substring search",
	"MatchMembers":             "substring search",
	"SearchAuditEventIDs":      "several filters take the index of one, which depends on the values, and look at the rows",
	"CountAuditEventsFound":    "several filters take the index of one, which depends on the values, and look at the rows",
	"DeleteOldestKnownDevices": "sorts the devices of one member, which are few",
}

var (
	pages      = [][]any{{30, 0}, {1, 0}, {500, 1000}, {30, manyRows / 2}, {30, manyRows - 30}, {30, 1<<31 - 1}}
	namedPages = [][]any{{frequent, 30, 0}, {frequent, 30, manyRows / 20}, {rare, 30, 0}, {"Nobody", 500, 1000}}
	sweeps     = [][]any{{now.Add(time.Hour), 1000}, {now.Add(-1000 * time.Hour), 1000}}
)

// digest is the key of a row that fillMany made, or of none.
func digest(n int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return sum[:]
}

// eventTimes are the arguments of a query for all events with the given values.
func eventTimes(values ...any) []any {
	return append(slices.Clone(values), now.Add(-time.Hour), now.Add(1000*time.Hour))
}

// eventPages are the arguments of queries for pages of such events.
func eventPages(values ...any) [][]any {
	return [][]any{append(eventTimes(values...), 30, 0), append(eventTimes(values...), 30, fewRows/40), append(eventTimes(values...), 500, 1000)}
}

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
			query := withSlices(queries[name], len(args))
			for _, step := range f.explain(t, query, args) {
				requireServed(t, name, query, args, step)
			}
		}
	}
}

// requireServed checks one step of a plan.
func requireServed(t *testing.T, name, query string, args []any, step map[string]string) {
	t.Helper()
	require.NotEqual(t, "ALL", step["type"], "%s %v scans the table: %v", name, args, step)
	if strings.Contains(query, "WHERE") { // without one, walking an index to the page is what it is for
		require.NotEqual(t, "index", step["type"], "%s %v scans an index: %v", name, args, step)
	}
	require.NotContains(t, step["Extra"], "filesort", "%s %v sorts: %v", name, args, step)
	require.NotContains(t, step["Extra"], "temporary", "%s %v makes a table: %v", name, args, step)
	index, demanded := indexes[name]
	if !demanded || step["table"] == "" { // no table is read where a unique key tells that there is no such row
		return
	}
	require.Equal(t, index, step["key"], "%s %v takes another index: %v", name, args, step)
	if strings.Contains(query, "SELECT id FROM") || strings.Contains(query, "SELECT COUNT(*)") {
		require.Contains(t, step["Extra"], "Using index", "%s %v reads rows: %v", name, args, step)
	}
}

var sliceMark = regexp.MustCompile(`/\*SLICE:\w+\*/\?`)

// withSlices gives the slices of a query, which are all of the same length, the question marks that are left for them.
func withSlices(query string, args int) string {
	count := len(sliceMark.FindAllString(query, -1))
	if count == 0 {
		return query
	}
	others := strings.Count(query, "?") - count
	return sliceMark.ReplaceAllLiteralString(query, strings.TrimSuffix(strings.Repeat("?,", (args-others)/count), ","))
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
