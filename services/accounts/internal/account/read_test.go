package account_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
)

func TestNobodyOrdersOrSearchesByWhatIsMasked(t *testing.T) {
	t.Parallel()
	all, public := []string{"id", "email", "name", "nickname", "phone", "gender"}, []string{"id", "name", "nickname"}
	for _, test := range []struct {
		directory account.Directory
		caller    authn.Principal
		orderable []string
		emailsOf  uint64
	}{
		{account.DirectoryMasked, callerB, public, idB},
		{account.DirectoryMasked, callerAdmin, all, 0},
		{account.DirectoryOpen, callerB, all, 0},
		{account.DirectoryAdmin, callerAdmin, all, 0},
	} {
		w := newWorld(t, test.directory)
		require.Equal(t, test.orderable, w.Orderable(test.caller), "%+v", test)
		_, _, err := w.List(t.Context(), test.caller, account.Query{Email: "sungi@x.test"})
		require.NoError(t, err)
		require.Equal(t, test.emailsOf, w.store.query.EmailsOf, "%+v", test)
	}
}

func TestAMemberReadsItsOwnWritesAndTheRestMayComeFromAReplica(t *testing.T) {
	t.Parallel()
	list := func(w *world, caller authn.Principal) error {
		_, _, err := w.List(t.Context(), caller, account.Query{})
		return err
	}
	match := func(among uint64) func(*world, authn.Principal) error {
		return func(w *world, caller authn.Principal) error {
			_, _, err := w.Match(t.Context(), []string{"x"}, among, caller.MemberID)
			return err
		}
	}
	for name, test := range map[string]struct {
		read   func(*world, authn.Principal) error
		caller authn.Principal
		wrote  bool
		want   account.Freshness
	}{
		"list":                              {list, callerB, false, account.Recent},
		"list, after a write":               {list, callerB, true, account.Latest},
		"search for orders of its own":      {match(idB), callerB, false, account.Latest},
		"search for all orders":             {match(0), callerAdmin, false, account.Recent},
		"search for all, after a write":     {match(0), callerAdmin, true, account.Latest},
		"search for nobody in particular":   {match(0), authn.Principal{}, false, account.Recent},
		"search for another, for an admin":  {match(idB), callerAdmin, false, account.Recent},
		"list, after a write of an admin's": {list, callerAdmin, true, account.Latest},
	} {
		w := newWorld(t, account.DirectoryMasked)
		if test.wrote {
			w.recent.Mark(test.caller.MemberID)
		}
		require.NoError(t, test.read(w, test.caller), name)
		require.Equal(t, test.want, w.store.freshness, name)
	}
}

func TestAMemberExistsOrNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, account.DirectoryMasked)
	for id, want := range map[uint64]bool{idA: true, 12345: false} {
		exists, err := w.Exists(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, exists, id)
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
		w := newWorld(t, account.DirectoryMasked)
		for _, found := range test.found {
			w.store.matches = append(w.store.matches, slices.Repeat([]uint64{idA}, found))
		}
		matches, truncated, err := w.Match(t.Context(), []string{"x", "y"}, 0, idAdmin)
		require.NoError(t, err)
		require.Equal(t, test.truncated, truncated)
		for i, found := range test.found {
			require.Len(t, matches[i], min(found, accounts.MaxMatches))
		}
	}
}
