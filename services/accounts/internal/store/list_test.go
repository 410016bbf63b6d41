package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

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
		members = append(members, member)
	}
	return members
}

func (f fixture) fill(t *testing.T) []account.Member {
	t.Helper()
	var stored []account.Member
	for _, member := range population() {
		created, _ := f.create(t, member)
		stored = append(stored, created)
	}
	require.NoError(t, f.pair.Sync(t.Context()))
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
}

// sorted returns the members in an ordering; equal ones follow their ids, descending where tiesDescend.
func sorted(members []account.Member, ordering []listing.Key, tiesDescend bool) []account.Member {
	ordering = append(slices.Clone(ordering), listing.Key{Field: "id", Descending: tiesDescend})
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

// emails are easier to compare by eye than members.
func emails(members []account.Member) []string {
	list := []string{}
	for _, member := range members {
		list = append(list, member.Email)
	}
	return list
}

// requireList checks a whole list, in one page and in several, from both servers.
func (f fixture) requireList(t *testing.T, want []account.Member, query account.Query, label string) {
	t.Helper()
	for _, after := range []consistency.Token{0, consistency.Newest} {
		for _, limit := range []int{listing.MaxLimit, 7} {
			var got []account.Member
			for offset := 0; offset == 0 || offset < len(want); offset += limit {
				query.Limit, query.Offset = limit, offset
				page, count, err := f.Members(consistency.Into(t.Context(), after), query)
				require.NoError(t, err, label)
				require.Equal(t, len(want), count, "%s: count at %d", label, offset)
				got = append(got, page...)
			}
			require.Equal(t, emails(want), emails(got), label)
			require.ElementsMatch(t, want, got, label)
		}
	}
}

func TestAListHasItsOrderInEveryDirectionTiesIncluded(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	members := f.fill(t)
	f.requireList(t, sorted(members, nil, false), query(0, 0), "no ordering")
	for field := range fieldOrder {
		for _, descending := range []bool{false, true} {
			key := listing.Key{Field: field, Descending: descending}
			ordering := []listing.Key{key}
			f.requireList(t, sorted(members, ordering, descending), query(0, 0, key), key.String())

			searching := query(0, 0, key)
			searching.Terms = []string{"x.test"}
			f.requireList(t, sorted(members, ordering, false), searching, "search, "+key.String())
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
		f.requireList(t, sorted(members, ordering, false), query(0, 0, ordering...), text)
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
			wanted.Name = name
			f.requireList(t, sorted(found, []listing.Key{key}, false), wanted, name+" "+key.String())
		}
		unordered := query(0, 0)
		unordered.Name = name
		f.requireList(t, found, unordered, name)
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
		"lower case":                  {account.Query{Email: strings.ToLower(one.Email)}, members[:1]},
		"upper case":                  {account.Query{Email: strings.ToUpper(one.Email)}, members[:1]},
		"a part of it":                {account.Query{Email: "x.test"}, nil},
		"nobody's":                    {account.Query{Email: "nobody@x.test"}, nil},
		"with the name":               {account.Query{Email: one.Email, Name: strings.ToUpper(one.Name)}, members[:1]},
		"with another name":           {account.Query{Email: one.Email, Name: "Nobody"}, nil},
		"one's own":                   {account.Query{Email: one.Email, EmailsOf: one.ID}, members[:1]},
		"another's, masked":           {account.Query{Email: another.Email, EmailsOf: one.ID}, nil},
		"another's, masked, and name": {account.Query{Email: another.Email, Name: another.Name, EmailsOf: one.ID}, nil},
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
	term.Terms, named.Name, email.Email = []string{"x.test"}, "park", members[0].Email
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
			page, count, err := f.Members(latest(t), test.list)
			require.NoError(t, err, name)
			require.Empty(t, page, name)
			require.Equal(t, test.count, count, "%s at %d", name, offset)
		}
	}
}

func TestAnEmptyDirectoryIsAnEmptyList(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	f.requireList(t, nil, query(0, 0), "empty")
	page, count, err := f.Members(latest(t), query(10, 30))
	require.NoError(t, err)
	require.Empty(t, page)
	require.Zero(t, count)
}
