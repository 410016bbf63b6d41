package store_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
)

// people are found by the letters of their keys below. The rules of names do not hold here: the store takes what it gets.
func people() map[string]account.Member {
	person := func(email, name string) account.Member {
		member := dream
		member.Email, member.Name = email, name
		return member
	}
	return map[string]account.Member{
		"a": person("Anna@One.test", "김선기"),
		"b": person("bert@two.test", "Kimberly"),
		"c": person("c_d%e@two.test", `back\slash`),
		"d": person("cxdye@three.test", "꼬막무침 🍤"),
		"e": person("é.kim@three.test", "이은겸"),
		"f": person("f@one.test", "under_score"),
	}
}

var searches = []struct {
	terms []string
	found string
}{
	{[]string{"kim"}, "be"},
	{[]string{"KIM"}, "be"},
	{[]string{"kImBeR"}, "b"},
	{[]string{"anna@one.TEST"}, "a"},
	{[]string{"test"}, "abcdef"},
	{[]string{"김"}, "a"},
	{[]string{"선기"}, "a"},
	{[]string{"은"}, "e"},
	{[]string{"ㄱ"}, ""},
	{[]string{"기"}, "a"},
	{[]string{"긴"}, ""},
	{[]string{"🍤"}, "d"},
	{[]string{"🍣"}, ""},
	{[]string{"%"}, "c"},
	{[]string{"_"}, "cf"},
	{[]string{"c_d%e"}, "c"},
	{[]string{"c_d"}, "c"},
	{[]string{"r_s"}, "f"},
	{[]string{`\`}, "c"},
	{[]string{`\s`}, "c"},
	{[]string{`k\sl`}, "c"},
	{[]string{`\%`}, ""},
	{[]string{`'`}, ""},
	{[]string{`"; DROP TABLE members; --`}, ""},
	{[]string{"É.kim"}, "e"},
	{[]string{"kim", "two"}, "b"},
	{[]string{"two", "kim"}, "b"},
	{[]string{"one", "anna", "김"}, "a"},
	{[]string{"one", "two"}, ""},
	{[]string{"t", "e", "s", ".", "@", "o", "b", "k"}, "bc"},
	{[]string{"t", "e", "s", ".", "@", "o", "b", "z"}, ""},
}

// fillPeople stores the people and returns their ids by key.
func (f fixture) fillPeople(t *testing.T) map[string]uint64 {
	t.Helper()
	ids := map[string]uint64{}
	everyone := people()
	for _, key := range slices.Sorted(maps.Keys(everyone)) {
		member, _ := f.create(t, everyone[key])
		ids[key] = member.ID
	}
	return ids
}

func pick(ids map[string]uint64, keys string) []uint64 {
	picked := []uint64{}
	for _, key := range keys {
		picked = append(picked, ids[string(key)])
	}
	return picked
}

func (f fixture) search(t *testing.T, query account.Query) []uint64 {
	t.Helper()
	query.Limit = 100
	page, err := f.Members(latest(t), query)
	require.NoError(t, err)
	found := []uint64{}
	for _, member := range page.Values {
		found = append(found, member.ID)
	}
	require.Len(t, found, page.Count)
	return found
}

func TestASearchFindsPartsOfNamesAndEmailsAndEveryTermMustMatch(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	ids := f.fillPeople(t)
	for _, test := range searches {
		query := account.Query{}
		query.Terms = test.terms
		require.Equal(t, pick(ids, test.found), f.search(t, query), "%q", test.terms)

		// One row a page: the count comes from its own statement then.
		query.Limit = 1
		page, err := f.Members(latest(t), query)
		require.NoError(t, err)
		require.Equal(t, len(test.found), page.Count, "count of %q", test.terms)
	}
}

func TestASearchGoesWithTheFilters(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	ids := f.fillPeople(t)
	for name, test := range map[string]struct {
		query account.Query
		term  string
		found string
	}{
		"name":                  {filtered("", "KIMBERLY", 0), "two", "b"},
		"name that differs":     {filtered("", "김선기", 0), "two", ""},
		"email":                 {filtered("BERT@two.test", "", 0), "kim", "b"},
		"email that differs":    {filtered("bert@two.test", "", 0), "김", ""},
		"both":                  {filtered("bert@two.test", "kimberly", 0), "bert", "b"},
		"both, one that differ": {filtered("bert@two.test", "kim", 0), "bert", ""},
	} {
		test.query.Terms = []string{test.term}
		require.Equal(t, pick(ids, test.found), f.search(t, test.query), name)
	}
}

func TestAMaskedCallerFindsOthersByTheirNamesOnly(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	ids := f.fillPeople(t)
	for name, test := range map[string]struct {
		email string
		terms []string
		found string
	}{
		"one's own email":      {"", []string{"anna@"}, "a"},
		"another's email":      {"", []string{"bert@"}, ""},
		"a domain of several":  {"", []string{"one.test"}, "a"},
		"a name":               {"", []string{"kim"}, "b"},
		"a name and its email": {"", []string{"kimberly", "bert@"}, ""},
		"filter by another's email, and its name": {"bert@two.test", []string{"kimberly"}, ""},
		"filter by one's own email, and the name": {"anna@one.test", []string{"김"}, "a"},
	} {
		query := filtered(test.email, "", ids["a"])
		query.Terms = test.terms
		require.Equal(t, pick(ids, test.found), f.search(t, query), name)
		query.Limit = 1
		page, err := f.Members(latest(t), query)
		require.NoError(t, err)
		require.Equal(t, len(test.found), page.Count, "count: %s", name)
	}
}

func TestMatchingYieldsTheMembersOfEachTermByItself(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	ids := f.fillPeople(t)
	match := func(among uint64, most int, terms ...string) [][]uint64 {
		matches, err := f.MatchingMembers(latest(t), terms, among, most)
		require.NoError(t, err)
		return matches
	}
	for _, test := range searches {
		if len(test.terms) == 1 {
			require.ElementsMatch(t, pick(ids, test.found), match(0, 100, test.terms...)[0], "%q", test.terms)
		}
	}
	all := match(0, 3, "TEST", "kim", "nobody")
	require.Len(t, all, 3)
	require.Equal(t, pick(ids, "abc"), all[0], "the lowest ids first")
	require.Equal(t, pick(ids, "be"), all[1])
	require.Empty(t, all[2])

	among := match(ids["b"], 100, "test", "bert@", "anna")
	require.Equal(t, [][]uint64{{ids["b"]}, {ids["b"]}, nil}, among)
	require.Empty(t, match(0, 100))
}
