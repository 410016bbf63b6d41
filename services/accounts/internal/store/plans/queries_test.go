package plans_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

var (
	now   = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	later = now.Add(10 * time.Hour)
)

// planCases hold, for every generated query that an index must serve, the arguments with which it is explained: in the
// order of the question marks, small and deep offsets, frequent and rare values, empty and full batches.
var planCases = map[string][][]any{
	"GetMember":                 {{100}, {0}},
	"GetMemberForUpdate":        {{100}, {0}},
	"ListMembersByMailbox":      {{someEmail, someEmail}, {"nobody@x.test", "nobody@x.test"}},
	"ListMembersWithoutMailbox": {{0, 1000}, {100_000, 1000}},
	"SetMailbox":                {{"e", "e", 100, "e"}},
	"ListMembersByIDs":          {{1}, slices.Repeat([]any{77}, 30), someIDs(500)},
	"CountMembers":              {{}},
	"CountMembersNamed":         {{frequent}, {rare}, {"Nobody"}},

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

	"UpdateMember":             {{"e", "e", "e", "e", "n", "n", "p", nil, "h", false, true, 100}},
	"UpdateMemberPasswordHash": {{"new", 100, "old"}},
	"DeleteMember":             {{100}},

	"GetSession":             {{100}, {0}},
	"GetSessionForUpdate":    {{100}, {0}},
	"GetLatestOfSessions":    {{100}, {0}},
	"ListLiveSessionIDs":     {{100, now, 30, 0}, {100, now, 1, 60}, {100, now, 500, 1000}, {0, now, 30, 0}},
	"CountLiveSessions":      {{100, now}, {0, now}},
	"ListSessionsByIDs":      {{1}, slices.Repeat([]any{77}, 30), someIDs(500)},
	"ExtendSession":          {{later, later, 100}},
	"UpdateSessionsSeen":     {{"100", now, 100}, slices.Concat(someIDs(500), slices.Repeat([]any{now}, 500), someIDs(500))},
	"RevokeSession":          {{now, 100, 100}},
	"RevokeSessionsOfMember": {{now, 100, 1 << 62, 0}, {now, 100, 1 << 62, 100}},
	"ForgetOriginsOfMember":  {{100}, {0}},
	"DeleteExpiredSessions":  sweeps,

	"GetRefreshTokenForUpdate":   {{digest(7)}, {digest(-1)}},
	"GetMemberIDOfRefreshToken":  {{digest(7)}, {digest(-1)}},
	"UseRefreshToken":            {{now, digest(8), digest(7)}},
	"DeleteExpiredRefreshTokens": sweeps,

	"NextRevocation":           {{}},
	"GetLatestRevocation":      {{}},
	"ListRevocations":          {{0, fewRows, now, 1000}, {fewRows - 100, fewRows, now, 1000}, {fewRows - 1, fewRows, now, 1000}, {0, fewRows, now, 10}},
	"DeleteExpiredRevocations": sweeps,

	"ListLoginFailures":          {{digest(1), digest(2), digest(3), 7, digest(3)}},
	"DeleteLoginFailures":        {{digest(1), digest(2)}},
	"DeleteOldLoginFailures":     sweeps,
	"CountKnownDevices":          {{7}, {0}},
	"DeleteKnownDevicesOfMember": {{7}, {0}},
	"DeleteOldKnownDevices":      sweeps,

	"ListAuditEventsByIDs":       {{1}, slices.Repeat([]any{77}, 30), someIDs(500)},
	"ListAuditEventIDs":          eventPages(15_000),
	"ListAuditEventIDsByAction":  eventPages(2000, "logout"),
	"ListAuditEventIDsByActor":   eventPages(20, 7),
	"ListAuditEventIDsBySubject": eventPages(20, 7),
	"ListAuditEventIDsByOutcome": eventPages(500, "failure"),
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
	"LockLoginFailures":        "has no plan",
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

// digest is the key of a row that fill made, or of none.
func digest(n int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return sum[:]
}

// eventTimes are the arguments of a query for all events with the given values.
func eventTimes(values ...any) []any {
	return append(slices.Clone(values), now.Add(-time.Hour), now.Add(1000*time.Hour))
}

// eventPages are the arguments of queries for pages of such events: the first, one at an offset, and one behind the last.
func eventPages(offset int, values ...any) [][]any {
	return [][]any{append(eventTimes(values...), 30, 0), append(eventTimes(values...), 30, offset), append(eventTimes(values...), 500, fewRows)}
}

func someIDs(count int) []any {
	var ids []any
	for i := range count {
		ids = append(ids, i*manyRows/count)
	}
	return ids
}
