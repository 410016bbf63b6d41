package account_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// maskedA is what others see of A where the directory is masked: no gender, no hash, no last order.
var maskedA = account.View{Masked: true, Member: account.Member{
	ID: idA, Email: "S***@x.test", Name: "김선기", Nickname: "sungi", Phone: "***64",
}}

func wholeA(w *world) account.View {
	return account.View{Member: w.member(idA), LastOrder: &orderOfA}
}

func TestWhoSeesWhatOfAMember(t *testing.T) {
	t.Parallel()
	type sight string
	const whole, masked, nothing sight = "whole", "masked", "nothing"
	for _, test := range []struct {
		directory account.Directory
		caller    authn.Principal
		sees      sight
		lists     bool
	}{
		{account.DirectoryMasked, callerA, whole, true},
		{account.DirectoryMasked, callerB, masked, true},
		{account.DirectoryMasked, callerAdmin, whole, true},
		{account.DirectoryOpen, callerA, whole, true},
		{account.DirectoryOpen, callerB, whole, true},
		{account.DirectoryOpen, callerAdmin, whole, true},
		{account.DirectoryAdmin, callerA, whole, false},
		{account.DirectoryAdmin, callerB, nothing, false},
		{account.DirectoryAdmin, callerAdmin, whole, true},
	} {
		w := populated(test.directory)
		want := map[sight]account.View{whole: wholeA(w), masked: maskedA}[test.sees]
		want.ForAdmin = test.caller.Admin
		if test.caller == callerB {
			want.Member.Version = 0 // it counts what B does not see
		}

		got, err := w.Get(t.Context(), test.caller, idA)
		require.Equal(t, test.sees == nothing, fault.Is(err, fault.NotFound), "%+v: %v", test, err)
		require.Equal(t, want, got, "%+v", test)

		page, err := w.List(t.Context(), test.caller, listing.Request{Limit: 100})
		if !test.lists {
			require.True(t, fault.Is(err, fault.Forbidden), "%+v: %v", test, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, 3, page.Count)
		require.Equal(t, want, page.Values[0], "%+v", test)
	}
}

func TestAMissingMemberAndAHiddenOneAreTheSame(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryAdmin)
	_, missing := w.Get(t.Context(), callerB, 12345)
	_, hidden := w.Get(t.Context(), callerB, idA)
	for _, err := range []error{missing, hidden} {
		require.Equal(t, []any{fault.NotFound, fault.NewNotFound().Detail}, []any{fault.Of(err).Code, fault.Of(err).Detail})
	}
}

func TestMaskingLeavesTheFirstCharacterAndTheDomainAndTwoDigits(t *testing.T) {
	t.Parallel()
	for email, masked := range map[string]string{
		"sungi@x.test": "s***@x.test", "s@x.test": "s***@x.test", `"a@b"@x.test`: `"***@x.test`, "no address": "***",
	} {
		w := populated(account.DirectoryMasked)
		w.add(account.Member{ID: 50, Email: email, Phone: "0212345"})
		view, err := w.Get(t.Context(), callerB, 50)
		require.NoError(t, err)
		require.Equal(t, masked, view.Member.Email)
		require.Equal(t, "***45", view.Member.Phone)
	}
}

func TestAPageAsksForAllLastOrdersWithOneRequest(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	for id := range uint64(27) {
		w.add(account.Member{ID: 1000 + id, Email: "x@x.test"})
	}
	page, err := w.List(t.Context(), callerAdmin, listing.Request{Limit: 100})
	require.NoError(t, err)
	require.Len(t, page.Values, 30)
	require.Len(t, w.orders.asked, 1)
	require.Len(t, w.orders.asked[0], 30)
	require.Equal(t, &orderOfA, page.Values[0].LastOrder)
	require.Nil(t, page.Values[1].LastOrder)
}

func TestLastOrdersThatTheCallerMayNotSeeAreNotAskedFor(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	_, err := w.List(t.Context(), callerB, listing.Request{Limit: 100})
	require.NoError(t, err)
	require.Equal(t, [][]uint64{{idB}}, w.orders.asked)

	w = populated(account.DirectoryMasked)
	_, err = w.Get(t.Context(), callerB, idA)
	require.NoError(t, err)
	require.Empty(t, w.orders.asked)
}

func TestWithoutTheOrdersServiceMembersComeWithoutLastOrders(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	w.orders.Err = errBroken
	page, err := w.List(t.Context(), callerB, listing.Request{Limit: 100})
	require.NoError(t, err)
	require.Equal(t, []account.View{
		maskedA,
		{Member: w.member(idB), LastOrderUnknown: true},
	}, page.Values[:2])
	view, err := w.Get(t.Context(), callerA, idA)
	require.NoError(t, err)
	require.Equal(t, account.View{Member: w.member(idA), LastOrderUnknown: true}, view)
}

func TestAMembersPageWaitsNoLongerThanItsTimeoutForTheOrdersService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := populated(account.DirectoryMasked)
		w.orders.hangs = true
		began := time.Now()
		view, err := w.Get(t.Context(), callerA, idA)
		require.NoError(t, err)
		require.True(t, view.LastOrderUnknown)
		require.Equal(t, w.deps.LastOrdersTimeout, time.Since(began))
	})
}
