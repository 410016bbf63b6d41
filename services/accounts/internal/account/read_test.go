package account_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/listing"
)

func TestNobodyOrdersOrSearchesByWhatIsMasked(t *testing.T) {
	t.Parallel()
	public := []string{"id", "name", "nickname"}
	open := []string{"id", "email", "name", "nickname", "phone", "gender"}
	all := append(slices.Clone(open), "is_active", "is_admin", "created_at")
	for _, test := range []struct {
		directory account.Directory
		caller    authn.Principal
		orderable []string
		emailsOf  uint64
	}{
		{account.DirectoryMasked, callerB, public, idB},
		{account.DirectoryMasked, callerAdmin, all, 0},
		{account.DirectoryOpen, callerB, open, 0},
		{account.DirectoryAdmin, callerAdmin, all, 0},
	} {
		w := populated(test.directory)
		require.Equal(t, test.orderable, w.Listable(test.caller).Ordering, "%+v", test)
		require.Equal(t, test.caller.Admin, slices.ContainsFunc(w.Listable(test.caller).Filters, func(filter listing.Filter) bool {
			return filter.Field == "is_active" || filter.Field == "is_admin" || filter.Field == "created_at"
		}), "%+v", test)
		_, err := w.List(t.Context(), test.caller, listing.Request{}.Only("email", "sungi@x.test"))
		require.NoError(t, err)
		require.Equal(t, test.emailsOf, w.store.query.EmailsOf, "%+v", test)
	}
}

func TestAnExportIsInTheOrderOfTheIDsOrOfTheTimeThatIsFilteredBy(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	since := listing.Match{Field: "created_at", Op: listing.AtLeast, Values: []any{time.Now()}}
	for field, matches := range map[string][]listing.Match{"id": nil, "created_at": {since}} {
		next, err := w.Export(t.Context(), callerAdmin, listing.Request{Matches: matches, Ordering: []listing.Key{{Field: "name"}}})
		require.NoError(t, err)
		_, err = next(t.Context())
		require.NoError(t, err)
		require.Equal(t, []listing.Key{{Field: field}}, w.store.query.Ordering)
	}
}

func TestAPageIsReadWithATokenAndARightIsNot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		work   func(*world) error
		latest int
	}{
		"a member":                    {func(w *world) error { _, err := w.Get(t.Context(), callerA, idA); return err }, 0},
		"a list":                      {func(w *world) error { _, err := w.List(t.Context(), callerA, listing.Request{}); return err }, 0},
		"whether there is a customer": {func(w *world) error { _, _, err := w.CurrentMember(t.Context(), idA); return err }, 1},
		"the right to change":         {func(w *world) error { return w.MayChange(t.Context(), callerA, idA) }, 1},
		"the password": {func(w *world) error {
			_, _, err := w.Update(t.Context(), callerA, idA, account.Change{Password: new(password)})
			return err
		}, 2},
	} {
		w := populated(account.DirectoryMasked)
		require.NoError(t, test.work(w), name)
		require.Equal(t, test.latest, w.store.latest, name)
	}
}

func TestAMemberExistsOrNot(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	for id, want := range map[uint64]bool{idA: true, 12345: false} {
		member, exists, err := w.CurrentMember(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, exists, id)
		require.Equal(t, want, member.ID == id, id)
	}
}

func TestATermThatMatchesTooManyMembersIsCutAndSaysSo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		found     []int
		truncated bool
	}{
		{[]int{0, accounts.MaxMatches}, false},
		{[]int{accounts.MaxMatches + 1, 3}, true},
		{[]int{2, accounts.MaxMatches * 2}, true},
	} {
		w := newWorld()
		var terms []string
		for i, found := range test.found {
			terms = append(terms, fmt.Sprint("term", i))
			for j := range found {
				w.add(account.Member{ID: uint64(10_000*i + j + 1), Name: terms[i]})
			}
		}
		matches, truncated, err := w.Match(t.Context(), terms, 0)
		require.NoError(t, err)
		require.Equal(t, test.truncated, truncated)
		for i, found := range test.found {
			require.Len(t, matches[i], min(found, accounts.MaxMatches))
		}
	}
}
