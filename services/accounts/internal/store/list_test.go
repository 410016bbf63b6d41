package store_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/consistency"
	"oms.internal/libs/listing"
)

// population is members with many equal values in every column but the email.
func population() []account.Member {
	names := []string{"Kim", "kim", "KIM", "Kima", "Park", "가나", "각", "김선기", "Zoe", "박"}
	var members []account.Member
	for i := range 40 {
		member := dream
		member.Email = fmt.Sprintf("%c%02d@x.test", 'a'+(i*7)%26, i)
		if i%3 == 0 {
			member.Email = strings.ToUpper(member.Email)
		}
		member.Name = names[(i*3)%len(names)]
		member.Nickname = []string{"one", "two", "three"}[i%3]
		member.Phone = fmt.Sprintf("010%04d", (i*5)%8)
		member.Gender = []string{"", "M", "F"}[(i*11)%3]
		member.Active, member.Admin = i%5 != 0, i%7 == 0
		member.CreatedAt = dream.CreatedAt.Add(time.Duration(i*3%4) * time.Microsecond)
		members = append(members, member)
	}
	return members
}

func (f fixture) fill(t *testing.T) []account.Member {
	t.Helper()
	var stored []account.Member
	for _, member := range population() {
		created, _ := f.create(t, member)
		require.NotEmpty(t, created.PasswordHash)
		created.PasswordHash = "" // no list tells it
		stored = append(stored, created)
	}
	require.NoError(t, f.Pair.Sync(t.Context()))
	return stored
}

// fieldOrder compares by one field as the API promises: emails and names whatever their case, unknown gender first.
var fieldOrder = map[string]func(a, b account.Member) int{
	"id": func(a, b account.Member) int { return cmp.Compare(a.ID, b.ID) },
	"email": func(a, b account.Member) int {
		return strings.Compare(strings.ToLower(a.Email), strings.ToLower(b.Email))
	},
	"name": func(a, b account.Member) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	},
	"nickname": func(a, b account.Member) int { return strings.Compare(a.Nickname, b.Nickname) },
	"phone":    func(a, b account.Member) int { return strings.Compare(a.Phone, b.Phone) },
	"gender":   func(a, b account.Member) int { return strings.Compare(a.Gender, b.Gender) },
	"is_active": func(a, b account.Member) int {
		return cmp.Compare(fmt.Sprint(a.Active), fmt.Sprint(b.Active))
	},
	"is_admin":   func(a, b account.Member) int { return cmp.Compare(fmt.Sprint(a.Admin), fmt.Sprint(b.Admin)) },
	"created_at": func(a, b account.Member) int { return a.CreatedAt.Compare(b.CreatedAt) },
}

// sorted returns the members in an ordering; equal ones follow their ids, in the direction of the last key.
func sorted(members []account.Member, ordering ...listing.Key) []account.Member {
	tie := listing.Key{Field: "id", Descending: len(ordering) > 0 && ordering[len(ordering)-1].Descending}
	ordering = append(slices.Clone(ordering), tie)
	return slices.SortedFunc(slices.Values(members), func(a, b account.Member) int {
		for _, key := range ordering {
			order := fieldOrder[key.Field](a, b)
			if key.Descending {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
}

func query(limit, offset int, ordering ...listing.Key) account.Query {
	return account.Query{Request: listing.Request{Limit: limit, Offset: offset, Ordering: ordering}}
}

// filtered asks for an email and a name, each unless "", of which the email may be of one member only, unless 0.
func filtered(email, name string, emailsOf uint64) account.Query {
	query := account.Query{EmailsOf: emailsOf}
	if email != "" {
		query.Request = query.Only("email", email)
	}
	if name != "" {
		query.Request = query.Only("name", name)
	}
	return query
}

// emails are easier to compare by eye than members.
func emails(members []account.Member) []string {
	list := []string{}
	for _, member := range members {
		list = append(list, member.Email)
	}
	return list
}

// requireList checks a whole list, in one page, in several, and in a walk, from both servers.
func (f fixture) requireList(t *testing.T, want []account.Member, query account.Query, label string) {
	t.Helper()
	for _, after := range []consistency.Token{0, consistency.Newest} {
		for _, limit := range []int{listing.MaxLimit, 7} {
			var got []account.Member
			for offset := 0; offset == 0 || offset < len(want); offset += limit {
				query.Limit, query.Offset = limit, offset
				page, err := f.Members(consistency.Into(t.Context(), after), query)
				require.NoError(t, err, label)
				require.Equal(t, len(want), page.Count, "%s: count at %d", label, offset)
				got = append(got, page.Values...)
			}
			require.Equal(t, emails(want), emails(got), label)
			require.ElementsMatch(t, want, got, label)
		}
		walking := query
		next := listing.Walk(query.Request, 7, func(ctx context.Context, request listing.Request) (listing.Rows[account.Member], error) {
			walking.Request = request
			return f.Members(ctx, walking)
		})
		got := []account.Member{}
		for {
			page, err := next(consistency.Into(t.Context(), after))
			require.NoError(t, err, label)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		require.Equal(t, emails(want), emails(got), "walk: "+label)
	}
}

func TestAListHasItsOrderInEveryDirectionTiesIncluded(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	members := f.fill(t)
	f.requireList(t, sorted(members), query(0, 0), "no ordering")
	for field := range fieldOrder {
		for _, descending := range []bool{false, true} {
			key := listing.Key{Field: field, Descending: descending}
			f.requireList(t, sorted(members, key), query(0, 0, key), key.String())

			searching := query(0, 0, key)
			searching.Terms = []string{"x.test"}
			f.requireList(t, sorted(members, key), searching, "search, "+key.String())
		}
	}
}

func TestAListMayHaveSeveralOrderings(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	members := f.fill(t)
	for _, text := range []string{
		"gender,name", "-gender,name", "name,-phone", "-nickname,-gender,-id", "nickname,phone,-email", "gender,nickname,name",
		"id,name", "-email,phone",
	} {
		var ordering []listing.Key
		for part := range strings.SplitSeq(text, ",") {
			field, descending := strings.CutPrefix(part, "-")
			ordering = append(ordering, listing.Key{Field: field, Descending: descending})
		}
		f.requireList(t, sorted(members, ordering...), query(0, 0, ordering...), text)
	}
}

func TestAListIsFilteredByNameWhateverItsCase(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	members := f.fill(t)
	for _, name := range []string{"kim", "KIM", "김선기", "각", "Nobody", "Ki", "%"} {
		var found []account.Member
		for _, member := range members {
			if strings.EqualFold(member.Name, name) {
				found = append(found, member)
			}
		}
		for _, key := range []listing.Key{{Field: "id"}, {Field: "id", Descending: true}, {Field: "phone"}, {Field: "nickname", Descending: true}} {
			wanted := query(0, 0, key)
			wanted.Request = wanted.Only("name", name)
			f.requireList(t, sorted(found, key), wanted, name+" "+key.String())
		}
		f.requireList(t, found, account.Query{Request: listing.Request{}.Only("name", name)}, name)
	}
}

func TestAListIsFilteredByEmailWhateverItsCase(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	members := f.fill(t)
	one, another := members[0], members[1]
	for name, test := range map[string]struct {
		filter account.Query
		want   []account.Member
	}{
		"lower case":                  {filtered(strings.ToLower(one.Email), "", 0), members[:1]},
		"upper case":                  {filtered(strings.ToUpper(one.Email), "", 0), members[:1]},
		"a part of it":                {filtered("x.test", "", 0), nil},
		"nobody's":                    {filtered("nobody@x.test", "", 0), nil},
		"with the name":               {filtered(one.Email, strings.ToUpper(one.Name), 0), members[:1]},
		"with another name":           {filtered(one.Email, "Nobody", 0), nil},
		"one's own":                   {filtered(one.Email, "", one.ID), members[:1]},
		"another's, masked":           {filtered(another.Email, "", one.ID), nil},
		"another's, masked, and name": {filtered(another.Email, another.Name, one.ID), nil},
	} {
		for _, ordering := range [][]listing.Key{nil, {{Field: "name", Descending: true}}, {{Field: "gender"}, {Field: "name"}}} {
			test.filter.Ordering = ordering
			f.requireList(t, test.want, test.filter, name)
		}
	}
}

func TestPastTheEndThereIsNothingButTheCount(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	members := f.fill(t)
	term, named, email := query(10, 0), query(10, 0), query(10, 0)
	term.Terms = []string{"x.test"}
	named.Request, email.Request = named.Only("name", "park"), email.Only("email", members[0].Email)
	for name, test := range map[string]struct {
		list  account.Query
		count int
	}{
		"all": {query(10, 0), 40}, "ordered": {query(10, 0, listing.Key{Field: "name"}), 40},
		"several": {query(10, 0, listing.Key{Field: "gender"}, listing.Key{Field: "name"}), 40},
		"search":  {term, 40}, "named": {named, 4}, "email": {email, 1},
	} {
		for _, offset := range []int{test.count, test.count + 1, 1000, listing.MaxOffset} {
			test.list.Offset = offset
			page, err := f.Members(latest(t), test.list)
			require.NoError(t, err, name)
			require.Empty(t, page.Values, name)
			require.Equal(t, test.count, page.Count, "%s at %d", name, offset)
		}
	}
}

func TestAnEmptyDirectoryIsAnEmptyList(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	f.requireList(t, nil, query(0, 0), "empty")
	page, err := f.Members(latest(t), query(10, 30))
	require.NoError(t, err)
	require.Empty(t, page)
}

func TestAListIsFilteredByRightsAndTimeAlongWithEverythingElse(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	members := f.fill(t)
	at := dream.CreatedAt.Add(2 * time.Microsecond)
	filters := map[string]struct {
		match listing.Match
		keep  func(account.Member) bool
	}{
		"active":   {is("is_active", true), func(m account.Member) bool { return m.Active }},
		"inactive": {is("is_active", false), func(m account.Member) bool { return !m.Active }},
		"admins":   {is("is_admin", true), func(m account.Member) bool { return m.Admin }},
		"since": {
			listing.Match{Field: "created_at", Op: listing.AtLeast, Values: []any{at}},
			func(m account.Member) bool { return !m.CreatedAt.Before(at) },
		},
		"until": {listing.Match{Field: "created_at", Op: listing.Below, Values: []any{at}}, func(m account.Member) bool { return m.CreatedAt.Before(at) }},
		"name":  {is("name", "kim"), func(m account.Member) bool { return strings.EqualFold(m.Name, "kim") }},
	}
	names := slices.Sorted(maps.Keys(filters))
	for i, one := range names {
		for _, other := range names[i:] {
			first, second := filters[one], filters[other]
			var found []account.Member
			for _, member := range members {
				if first.keep(member) && second.keep(member) {
					found = append(found, member)
				}
			}
			for _, key := range []listing.Key{{Field: "id"}, {Field: "created_at", Descending: true}, {Field: "name"}, {Field: "is_admin", Descending: true}} {
				wanted := query(0, 0, key)
				wanted.Matches = []listing.Match{first.match, second.match}
				f.requireList(t, sorted(found, key), wanted, one+", "+other+", "+key.String())
				wanted.Terms = []string{"test"}
				f.requireList(t, sorted(found, key), wanted, "search, "+one+", "+other+", "+key.String())
			}
		}
	}
}
