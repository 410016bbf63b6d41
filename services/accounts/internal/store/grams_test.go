package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/listing"
)

// someone returns a member with a name and an email.
func someone(name, email string) account.Member {
	member := as(email)
	member.Name = name
	return member
}

// found returns the ids of all members that a search finds, as an admin or, if id is not 0, as that member.
func (f fixture) found(t *testing.T, id uint64, terms ...string) []uint64 {
	t.Helper()
	return f.search(t, account.Query{Request: listing.Request{Terms: terms}, EmailsOf: id})
}

func (f fixture) fillGrams(t *testing.T) int {
	t.Helper()
	filled, err := f.FillGrams(t.Context(), func() error { return nil })
	require.NoError(t, err)
	return filled
}

// grams counts the stored pieces of a member.
func (f fixture) grams(t *testing.T, id uint64) int {
	t.Helper()
	return f.number(t, "SELECT COUNT(*) FROM member_grams WHERE member_id = ?", id)
}

// rename changes a member as a process of the release before does.
func (f fixture) rename(t *testing.T, id uint64, name string) {
	t.Helper()
	f.exec(t, "UPDATE members SET name = ?, version = version + 1 WHERE id = ?", name, id)
}

// letters are some that servers and Go fold, compare and escape in different ways.
var letters = []string{
	"김", "선", "기", "남", "궁", " ", "a", "A", "b", "B1", "1", "İ", "I", "i", "ı", "ß", "ẞ", "ss", "ς", "σ", "Σ", "%", "_", `\`, "🍤", "🍣", "é", "É", "e",
	norm.NFD.String("é"), norm.NFD.String("김"), "ハ", "パ", "ﬁ", "\u212a", "K", "k", "'", `"`, "\u0307",
}

func written(random *rand.Rand, most int) string {
	var made strings.Builder
	for range 1 + random.IntN(most) {
		made.WriteString(letters[random.IntN(len(letters))])
	}
	return made.String()
}

func piece(random *rand.Rand, of string) string {
	runes := []rune(of)
	from := random.IntN(len(runes))
	return string(runes[from : from+1+random.IntN(len(runes)-from)])
}

func TestASearchByPiecesFindsWhatAScanOfAllMembersFinds(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	random := rand.New(rand.NewPCG(17, 12))
	var names, emails []string
	for i := range 90 {
		names = append(names, "."+strings.TrimSpace(written(random, 5)))
		emails = append(emails, fmt.Sprintf("%s.%d@x%d.test", strings.ReplaceAll(written(random, 4), " ", ""), i, i%3))
		f.create(t, someone(names[i], emails[i]))
	}
	queries := make([]account.Query, 300)
	for i := range queries {
		query := account.Query{Request: listing.Request{Limit: 1 + random.IntN(20), Offset: random.IntN(3)}}
		for range 1 + random.IntN(2) {
			from := slices.Concat(names, emails)
			term := piece(random, from[random.IntN(len(from))])
			if random.IntN(8) == 0 {
				term = written(random, 3)
			}
			query.Terms = append(query.Terms, strings.Fields(term)...)
		}
		switch random.IntN(5) {
		case 0:
			query.EmailsOf = uint64(1 + random.IntN(90))
		case 1:
			query.Request = query.Only("is_admin", false)
		}
		query.Ordering = [][]listing.Key{nil, {{Field: "name", Descending: true}}}[random.IntN(2)]
		queries[i] = query
	}
	look := func() (pages []listing.Rows[account.Member], matches [][][]uint64) {
		for _, query := range queries {
			page, err := f.Members(latest(t), query)
			require.NoError(t, err, "%+v", query)
			matching, err := f.MatchingMembers(latest(t), query.Terms, 0, 10)
			require.NoError(t, err)
			pages, matches = append(pages, page), append(matches, matching)
		}
		return pages, matches
	}
	byPieces, matched := look()
	f.exec(t, "DELETE FROM member_grams")
	f.exec(t, "UPDATE members SET grams_name = '', grams_email = ''")
	oneByOne, matchedOneByOne := look()
	// Of more members than a search looks at beside others the pieces are not known, so it looks at all members.
	rows := make([]string, 600)
	for i := range rows {
		rows[i] = fmt.Sprintf("('☃', 'snowman %d', '☃', '', '', '', NOW(), TRUE)", i)
	}
	f.exec(t, "INSERT INTO members (email, email_key, name, nickname, phone, password_hash, created_at, is_admin) VALUES "+strings.Join(rows, ", "))
	pages, matches := look()
	filled := 0
	for i := range queries {
		require.Equal(t, pages[i], byPieces[i], "%+v", queries[i])
		require.Equal(t, pages[i], oneByOne[i], "%+v", queries[i])
		require.Equal(t, matches[i], matched[i], "%+v", queries[i])
		require.Equal(t, matches[i], matchedOneByOne[i], "%+v", queries[i])
		filled += min(len(pages[i].Values), 1)
	}
	require.Greater(t, filled, len(queries)/3)
}

func TestMembersThatTheReleaseBeforeWroteAreFoundBeforeAndAfterTheyHaveTheirPieces(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	stays, _ := f.create(t, someone("남궁민수", "stays@x.test"))
	renamed, _ := f.create(t, someone("김선기", "renamed@x.test"))
	moved, _ := f.create(t, someone("이은겸", "moved@x.test"))
	inserted := f.insertUnkeyed(t, "old@x.test")
	f.rename(t, inserted, "남궁 Old")
	f.rename(t, renamed.ID, "남궁현")
	f.rewrite(t, moved.ID, "elsewhere@y.test")
	require.NoError(t, f.Pair.Sync(t.Context()))
	look := func() {
		t.Helper()
		require.Equal(t, []uint64{stays.ID, renamed.ID, inserted}, f.found(t, 0, "남궁"))
		require.Equal(t, []uint64{stays.ID, renamed.ID, inserted}, f.found(t, stays.ID, "남궁"))
		require.Empty(t, f.found(t, 0, "김선기"))
		require.Equal(t, []uint64{moved.ID}, f.found(t, 0, "elsewhere@Y"))
		require.Equal(t, []uint64{moved.ID}, f.found(t, 0, "은겸"))
		require.Empty(t, f.found(t, 0, "moved@"))
	}
	look()
	require.Equal(t, 3, f.fillGrams(t))
	require.NoError(t, f.Pair.Sync(t.Context()))
	look()
	require.Zero(t, f.fillGrams(t))
	require.EqualValues(t, 2, f.get(t, renamed.ID).Version, "nothing that anyone sees has changed")
}

func TestPiecesAreThoseOfTheNameAndTheEmailWhateverBecomesOfAMember(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, _ := f.create(t, someone("김선기", "abc@x.test"))
	// 김선 선기 김선기, abc bc@ c@x @x. x.t .te tes est
	require.Equal(t, 11, f.grams(t, member.ID))
	change := func(to func(*account.Member)) {
		t.Helper()
		_, _, err := f.UpdateMember(t.Context(), member.ID, func(member *account.Member) (account.Consequences, error) {
			to(member)
			return account.Consequences{Ending: ending()}, nil
		})
		require.NoError(t, err)
	}
	change(func(member *account.Member) { member.Name = "Kim" })
	require.Equal(t, 9, f.grams(t, member.ID))
	change(func(member *account.Member) { member.Email = "abcd@x.test" }) // abc bcd cd@ d@x @x. …
	require.Equal(t, 10, f.grams(t, member.ID))
	f.rename(t, member.ID, "남궁")
	change(func(member *account.Member) { member.Nickname = "other" })
	change(func(member *account.Member) { member.Name = "남궁민" })
	require.Equal(t, 12, f.grams(t, member.ID))
	require.Zero(t, f.fillGrams(t))
	require.Equal(t, []uint64{member.ID}, f.found(t, 0, "남궁"))
	require.Empty(t, f.found(t, 0, "kim"))
	_, err := f.DeleteMember(t.Context(), member.ID, func(account.Member) error { return nil }, ending())
	require.NoError(t, err)
	require.Zero(t, f.number(t, "SELECT COUNT(*) FROM member_grams"))
}

func TestMembersWhoSignUpChangeAndAreMendedAtOnceHaveTheirPieces(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	const members = 12
	var group sync.WaitGroup
	for i := range members {
		member, _ := f.create(t, someone("김선기", fmt.Sprintf("at%d@once.test", i)))
		f.rename(t, member.ID, fmt.Sprintf("남궁 %d", i))
		group.Go(func() {
			assert.NoError(t, untilAvailable(func() error { return f.signUp(t, someone("김선기", fmt.Sprintf("beside%d@once.test", i))) }))
		})
		group.Go(func() {
			assert.NoError(t, untilAvailable(func() error {
				_, err := f.FillGrams(t.Context(), func() error { return nil })
				return err
			}))
		})
		group.Go(func() {
			assert.NoError(t, untilAvailable(func() error {
				_, _, err := f.UpdateMember(t.Context(), member.ID, func(member *account.Member) (account.Consequences, error) {
					member.Name = fmt.Sprintf("산호 %d", i)
					return account.Consequences{Ending: ending()}, nil
				})
				return err
			}))
		})
	}
	group.Wait()
	require.Zero(t, f.fillGrams(t))
	require.Len(t, f.found(t, 0, "산호"), members)
	require.Len(t, f.found(t, 0, "김선"), members)
	require.Len(t, f.found(t, 0, "once"), 2*members)
	require.Zero(t, f.number(t, "SELECT COUNT(*) FROM member_grams WHERE gram = '남궁'"))
}

func TestARoundThatGivesMembersTheirPiecesWorksInSmallTransactions(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	const count = 130
	rows := make([]string, count)
	for i := range rows {
		rows[i] = fmt.Sprintf("('m%d@x.test', 'm%d@x.test', '김선기', '', '', '', NOW())", i, i)
	}
	f.exec(t, "INSERT INTO members (email, email_key, name, nickname, phone, password_hash, created_at) VALUES "+strings.Join(rows, ", "))
	rests := 0
	filled, err := f.FillGrams(t.Context(), func() error { rests++; return nil })
	require.NoError(t, err)
	require.Equal(t, count, filled)
	require.Equal(t, 2, rests)
	require.Equal(t, count, f.number(t, "SELECT COUNT(*) FROM member_grams WHERE gram = '선기'"))
}
