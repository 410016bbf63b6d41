// Package plans_test holds how servers execute the statements of the store, with 200,000 members. These tests take
// long, so `make test-plans` runs them and `make test` does not. They have the servers to themselves: the disk is busy while
// they fill the schema.
package plans_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/authn"
	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

func TestIndexesServeEveryQueryOf200000Members(t *testing.T) {
	d := mysqlxtest.New(t, schemas.Accounts())
	fill(t, d)
	d.RequireGenerated(t, "../sqlcgen", queries)
	for _, list := range lists() {
		served, others := d.RequireServed(t, list)
		t.Logf("%s: %d combinations of filters and orderings are served by an index, %d are not", list.Table.Name, served, others)
		require.NotZero(t, served)
	}
	d.RequireRemembered(t, lists()[0])
	requireSearched(t, d)
}

// requireSearched demands that a search reads index entries to find its members, and the rows of those alone.
func requireSearched(t *testing.T, d mysqlxtest.Database) {
	t.Helper()
	due := make([]uint64, 500)
	for i := range due {
		due[i] = uint64(i*17 + 1)
	}
	for _, piece := range []string{"kim", "@x.", "none"} {
		for _, due := range [][]uint64{nil, due[:1], due} {
			for _, request := range []listing.Request{
				{}, {Ordering: []listing.Key{{Field: "name", Descending: true}}}, {Matches: []listing.Match{match("is_active", listing.Is, true)}},
			} {
				request.Limit = 30
				plan, err := store.MemberList.Plan(request, listsql.Any(listsql.Contains("name", piece), listsql.Contains("written_email", piece)))
				require.NoError(t, err)
				plan = plan.Among(store.Ways(piece, due)...)
				for _, statement := range []listsql.Statement{plan.IDs(), plan.Count()} {
					for _, step := range d.Explain(t, statement.SQL, statement.Args...) {
						if !step.OnTable() {
							continue
						}
						require.Equal(t, "PRIMARY", step["key"], "%q: %v", piece, step)
						require.Contains(t, []string{"const", "eq_ref", "ref", "range"}, step["type"], "%q: %v", piece, step)
					}
				}
			}
		}
	}
}

func match(field string, op listing.Op, values ...any) listing.Match {
	return listing.Match{Field: field, Op: op, Values: values}
}

func is(field string, values ...any) (samples [][]listing.Match) {
	for _, value := range values {
		samples = append(samples, []listing.Match{match(field, listing.Is, value)})
	}
	return samples
}

// between are samples of a range of times: its ends alone, and both.
func between(field string, since, until time.Time) [][]listing.Match {
	from, to := match(field, listing.AtLeast, since), match(field, listing.Below, until)
	return [][]listing.Match{{from}, {to}, {from, to}}
}

func lists() []mysqlxtest.List {
	service := account.NewService(account.Dependencies{})
	return []mysqlxtest.List{
		{
			Table: store.MemberList, Declared: service.Listable(authn.Principal{Admin: true}), Rows: manyRows,
			Samples: map[string][][]listing.Match{
				"email": is("email", someEmail, "nobody@x.test"), "name": is("name", frequent, rare, "Nobody"),
				"is_active": is("is_active", true, false), "is_admin": is("is_admin", true, false),
				"created_at": between("created_at", now, later),
			},
		},
		{
			Table: store.SessionList, Declared: account.Sessions, Rows: 100,
			Samples: map[string][][]listing.Match{"member": is("member", uint64(100), uint64(0))},
			Also:    []listsql.Condition{listsql.IsNull("revoked"), listsql.AtLeast("expires", now)},
		},
		{
			Table: store.EventList, Declared: account.AuditList, Rows: fewRows,
			Samples: map[string][][]listing.Match{
				"action": is("action", "logout", "nothing"), "outcome": is("outcome", "failure", "success"),
				"actor": is("actor", uint64(7), uint64(0)), "subject": is("subject", uint64(7)),
				"at": between("at", now, now.Add(1000*time.Hour)),
			},
		},
	}
}

// queries are examined with frequent and rare values, empty and full batches.
var queries = map[string]mysqlxtest.Query{
	"InsertMember":             {Exempt: "has no plan"},
	"GetMember":                {Args: [][]any{{100}, {0}}},
	"GetMemberForUpdate":       {Args: [][]any{{100}, {0}}},
	"ListMembersByMailbox":     {Args: [][]any{{someEmail, []any{someEmail}}, {"nobody@x.test", []any{"nobody@x.test", "x"}}}},
	"ListDueMailboxes":         {Args: [][]any{{0, 1000}, {100_000, 1000}}, Index: "members_mailbox_due"},
	"ClearMailboxes":           {Args: fewAndMany},
	"SetMailbox":               {Args: [][]any{{"e", "e", 100, "e"}}},
	"SetEmailKey":              {Args: [][]any{{"e", 100, "e"}}},
	"ListMembersByIDs":         {Args: fewAndMany},
	"UpdateMember":             {Args: [][]any{{"e", "e", "e", "e", "e", "e", "n", "n", "p", nil, "h", false, true, 100}}},
	"UpdateMemberPasswordHash": {Args: [][]any{{"new", 100, "old"}}},
	"DeleteMember":             {Args: [][]any{{100}}},
	"ListDueGrams":             {Args: [][]any{{50}}, Index: "members_grams_due"},
	"SetGramsMade":             {Args: [][]any{{100}}},
	"DeleteGram":               {Args: [][]any{{"kim", 1}}},

	"InsertSession":          {Exempt: "has no plan"},
	"GetSession":             {Args: [][]any{{100}, {0}}},
	"GetSessionForUpdate":    {Args: [][]any{{100}, {0}}},
	"GetLatestOfSessions":    {Args: [][]any{{100}, {0}}},
	"ListSessionsByIDs":      {Args: fewAndMany, Index: "PRIMARY"},
	"ExtendSession":          {Args: [][]any{{later, later, 100}}},
	"UpdateSessionsSeen":     {Args: [][]any{{ids(1), times(1), ids(1)}, {ids(500), times(500), ids(500)}}},
	"RevokeSession":          {Args: [][]any{{now, 100, 100}}},
	"RevokeSessionsOfMember": {Args: [][]any{{now, 100, 1 << 62, 0}, {now, 100, 1 << 62, 100}}},
	"ForgetOriginsOfMember":  {Args: [][]any{{100}, {0}}},
	"HasExpiredSessions":     {Args: looks, Index: "sessions_expires"},
	"DeleteExpiredSessions":  {Args: sweeps, Index: "sessions_expires"},

	"InsertRefreshToken":         {Exempt: "has no plan"},
	"GetRefreshTokenForUpdate":   {Args: [][]any{{digest(7)}, {digest(-1)}}, Index: "PRIMARY"},
	"GetMemberIDOfRefreshToken":  {Args: [][]any{{digest(7)}, {digest(-1)}}},
	"UseRefreshToken":            {Args: [][]any{{now, digest(8), digest(7)}}},
	"ForgetUserOfRefreshToken":   {Args: [][]any{{digest(7)}}},
	"HasExpiredRefreshTokens":    {Args: looks, Index: "refresh_tokens_expires"},
	"DeleteExpiredRefreshTokens": {Args: sweeps, Index: "refresh_tokens_expires"},

	"ListMembersForUpdate": {Args: fewAndMany},
	"ListPresentMembers":   {Args: fewAndMany},
	"ListHolders":          {Args: [][]any{{[]any{someEmail}, []any{someEmail}}, {[]any{"nobody@x.test", "x"}, []any{"nobody@x.test", "x"}}}},
	"ListDeletedMembers":   {Args: fewAndMany, Index: "audit_events_subject"},
	"GetHighestMember":     {Args: [][]any{{}}},
	"ListImportedMembers":  {Args: fewAndMany},

	"ListKnoxTokensAfter":     {Args: [][]any{{knoxDigest(7), now, 10_000}, {[]byte{}, now, 10_000}}},
	"ListKnoxTokensForUpdate": {Args: [][]any{{[]any{knoxDigest(7)}}, {[]any{knoxDigest(7), knoxDigest(-1)}}}},
	"InsertKnoxToken":         {Exempt: "has no plan"},
	"UpdateKnoxToken":         {Args: [][]any{{later, knoxDigest(7)}}},
	"DeleteKnoxToken":         {Args: [][]any{{knoxDigest(7)}}},
	"SetEndOfSession":         {Args: [][]any{{later, later, 100}}},
	"GetSessionOfKnoxToken":   {Args: [][]any{{knoxDigest(7)}, {knoxDigest(-1)}}},
	"HasExpiredKnoxTokens":    {Args: looks, Index: "knox_tokens_expires"},
	"DeleteExpiredKnoxTokens": {Args: sweeps, Index: "knox_tokens_expires"},

	"InsertRevocation":    {Exempt: "has no plan"},
	"NextRevocation":      {Args: [][]any{{}}},
	"GetLatestRevocation": {Args: [][]any{{}}},
	"ListRevocations": {Index: "PRIMARY", Args: [][]any{
		{0, fewRows, now, 1000}, {fewRows - 100, fewRows, now, 1000}, {fewRows - 1, fewRows, now, 1000}, {0, fewRows, now, 10},
	}},
	"HasExpiredRevocations":    {Args: looks, Index: "revocations_valid"},
	"DeleteExpiredRevocations": {Args: sweeps, Index: "revocations_valid"},

	"StoreLoginFailures":         {Exempt: "has no plan"},
	"LockLoginFailures":          {Exempt: "has no plan"},
	"ListLoginFailures":          {Args: [][]any{{[]any{digest(1), digest(2), digest(3)}, 7, digest(3)}}},
	"DeleteLoginFailures":        {Args: [][]any{{[]any{digest(1), digest(2)}}}},
	"HasOldLoginFailures":        {Args: looks, Index: "login_failures_failed"},
	"DeleteOldLoginFailures":     {Args: sweeps, Index: "login_failures_failed"},
	"UpsertKnownDevice":          {Exempt: "has no plan"},
	"CountKnownDevices":          {Args: [][]any{{7}, {0}}},
	"DeleteKnownDevicesOfMember": {Args: [][]any{{7}, {0}}},
	"DeleteOldestKnownDevices":   {Exempt: "sorts the devices of one member, which are few"},
	"HasOldKnownDevices":         {Args: looks, Index: "known_devices_login"},
	"DeleteOldKnownDevices":      {Args: sweeps, Index: "known_devices_login"},

	"InsertAuditEvent":     {Exempt: "has no plan"},
	"HasOldAuditEvents":    {Args: looks, Index: "audit_events_at"},
	"ListAuditEventsByIDs": {Args: fewAndMany, Index: "PRIMARY"},
}

var (
	fewAndMany = [][]any{{ids(1)}, {ids(30)}, {ids(500)}}
	looks      = [][]any{{now.Add(time.Hour)}, {now.Add(-1000 * time.Hour)}}
	sweeps     = [][]any{{now.Add(time.Hour), 1000}, {now.Add(-1000 * time.Hour), 1000}}
)

// digest is the key of a row that fill made, or of none.
func digest(n int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return sum[:]
}

// knoxDigest is the same for knox_tokens.
func knoxDigest(n int) []byte {
	sum := sha512.Sum512(fmt.Append(nil, n))
	return sum[:]
}

func ids(count int) []any {
	var ids []any
	for i := range count {
		ids = append(ids, i*manyRows/count)
	}
	return ids
}

func times(count int) []any { return slices.Repeat([]any{now}, count) }
