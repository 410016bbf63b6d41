package account_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
)

func TestATokenOfDRFOMSStandsForItsMemberUntilSomethingEndsItsSession(t *testing.T) {
	t.Parallel()
	digest, expires := account.KnoxDigest{1}, noon.Add(time.Hour)
	for name, test := range map[string]struct {
		happens func(w *world, own authn.Principal)
		found   bool
	}{
		"nothing happens":   {func(*world, authn.Principal) {}, true},
		"another logs out":  {func(w *world, _ authn.Principal) { w.logOut(t, callerB) }, true},
		"it nearly expires": {func(w *world, _ authn.Principal) { w.Advance(time.Hour - time.Microsecond) }, true},
		"it expires":        {func(w *world, _ authn.Principal) { w.Advance(time.Hour) }, false},
		"its logout":        {func(w *world, own authn.Principal) { w.logOut(t, own) }, false},
		"a logout of all": {func(w *world, own authn.Principal) {
			_, err := w.LogOutAll(t.Context(), own)
			require.NoError(t, err)
		}, false},
		"its session is ended": {func(w *world, own authn.Principal) {
			_, err := w.EndSession(t.Context(), callerA, own.SessionID)
			require.NoError(t, err)
		}, false},
		"a new password elsewhere": {func(w *world, _ authn.Principal) {
			_, _, err := w.Update(t.Context(), callerA, idA, account.Change{Password: new("Another'pwd1"), CurrentPassword: new(password)})
			require.NoError(t, err)
		}, false},
		"a new password with it": {func(w *world, own authn.Principal) {
			_, _, err := w.Update(t.Context(), own, idA, account.Change{Password: new("Another'pwd1"), CurrentPassword: new(password)})
			require.NoError(t, err)
		}, true},
		"its member is deactivated": {func(w *world, _ authn.Principal) { w.store.Alter(idA, deactivate) }, false},
		"its member is deleted":     {func(w *world, _ authn.Principal) { w.store.Remove(idA) }, false},
	} {
		w := populated(account.DirectoryMasked)
		own := authn.Principal{MemberID: idA, SessionID: w.store.ImportKnoxToken(digest, idA, expires)}
		bearer, found, err := w.BearerOfKnoxToken(t.Context(), digest)
		require.NoError(t, err, name)
		require.True(t, found, name)
		require.Equal(t, account.Bearer{Principal: own, ExpiresAt: expires}, bearer, name)

		test.happens(w, own)
		bearer, found, err = w.BearerOfKnoxToken(t.Context(), digest)
		require.NoError(t, err, name)
		require.Equal(t, test.found, found, name)
		require.Equal(t, test.found, bearer != account.Bearer{}, name)
		_, found, err = w.BearerOfKnoxToken(t.Context(), account.KnoxDigest{2})
		require.NoError(t, err, name)
		require.False(t, found, name)
	}
}

func (w *world) logOut(t *testing.T, caller authn.Principal) {
	t.Helper()
	_, err := w.LogOut(t.Context(), caller)
	require.NoError(t, err)
}

func TestATokenOfDRFOMSBearsTheRightsThatItsMemberHasNow(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	w.store.ImportKnoxToken(account.KnoxDigest{1}, idA, noon.Add(time.Hour))
	for _, admin := range []bool{true, false} {
		w.store.Alter(idA, func(member *account.Member) { member.Admin = admin })
		bearer, _, err := w.BearerOfKnoxToken(t.Context(), account.KnoxDigest{1})
		require.NoError(t, err)
		require.Equal(t, admin, bearer.Admin)
	}
}
