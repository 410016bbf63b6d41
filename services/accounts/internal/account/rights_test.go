package account_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// changes is everything that a caller can do to a member.
func changes(t *testing.T, w *world, target accounttest.Registered) map[string]func(caller authn.Principal) error {
	update := func(change account.Change) func(authn.Principal) error {
		return func(caller authn.Principal) error {
			_, _, err := w.Update(t.Context(), caller, target.MemberID, change)
			return err
		}
	}
	return map[string]func(caller authn.Principal) error{
		"update":     update(account.Change{Nickname: new("hijack")}),
		"deactivate": update(account.Change{Active: new(false)}),
		"promote":    update(account.Change{Admin: new(true)}),
		"delete": func(caller authn.Principal) error {
			_, err := w.Delete(t.Context(), caller, target.MemberID, nil)
			return err
		},
		"end session": func(caller authn.Principal) error {
			_, err := w.EndSession(t.Context(), caller, target.SessionID)
			return err
		},
		"read events": func(caller authn.Principal) error {
			_, err := w.AuditEvents(t.Context(), caller, listing.Request{Limit: 1})
			return err
		},
	}
}

func TestTheAdminRightIsThatOfTheDatabaseAndNotOfAnOldToken(t *testing.T) {
	t.Parallel()
	w := newWorld()
	target := w.Register(t, 1)
	for i, test := range []struct {
		spoil func(id uint64)
		want  fault.Code
	}{
		{func(id uint64) { w.store.Alter(id, demote) }, fault.Forbidden},
		{func(id uint64) { w.store.Alter(id, deactivate) }, fault.Unauthenticated},
		{w.store.Remove, fault.Unauthenticated},
	} {
		former := w.admin(t, 10+i)
		test.spoil(former.MemberID)
		before := len(w.store.Events())
		for name, change := range changes(t, w, target) {
			want := test.want
			if name == "end session" && want == fault.Forbidden {
				want = fault.NotFound
			}
			err := change(former.Principal)
			require.True(t, fault.Is(err, want), "%s: %v", name, err)
		}
		require.Len(t, w.store.Events(), before)
	}
	unchanged, err := w.store.Member(t.Context(), target.MemberID)
	require.NoError(t, err)
	require.Equal(t, target.Member, unchanged)
	require.Empty(t, w.Everything(t))
}

func TestAnInactiveMemberChangesNothingOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	who := w.Register(t, 1)
	w.store.Alter(who.MemberID, deactivate)
	for name, change := range changes(t, w, who) {
		if name != "read events" {
			require.True(t, fault.Is(change(who.Principal), fault.Unauthenticated), name)
		}
	}
}

func TestOnlyAdminsDecideWhoIsActiveAndWhoIsAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld()
	admin, who := w.admin(t, 0), w.Register(t, 1)
	rights := account.Change{Active: new(false), Admin: new(true)}
	_, revocations, err := w.Update(t.Context(), who.Principal, who.MemberID, rights)
	require.NoError(t, err)
	require.Empty(t, revocations)
	unchanged, err := w.store.Member(t.Context(), who.MemberID)
	require.NoError(t, err)
	require.Equal(t, who.Member, unchanged)

	_, revocations, err = w.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Admin: new(true)})
	require.NoError(t, err)
	require.Empty(t, revocations, "a promotion ends nothing")
	_, revocations, err = w.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Admin: new(false)})
	require.NoError(t, err)
	require.Len(t, revocations, 1, "tokens bear the right")
	_, _, err = w.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Active: new(false)})
	require.NoError(t, err)
	_, err = w.LogIn(t.Context(), browser, who.Email, password)
	require.Equal(t, credentials, err)
	_, _, err = w.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Active: new(true)})
	require.NoError(t, err)
	require.Zero(t, w.try(t, browser, who.Email, password))
}

func TestWhoSeesAndEndsWhichSessions(t *testing.T) {
	t.Parallel()
	w := newWorld()
	admin, who, other := w.admin(t, 0), w.Register(t, 1), w.Register(t, 2)
	demoted := w.admin(t, 3)
	w.store.Alter(demoted.MemberID, demote)
	page := listing.Request{Limit: 10}
	for _, test := range []struct {
		caller accounttest.Registered
		list   fault.Code
		end    fault.Code
	}{
		{other, fault.Forbidden, fault.NotFound},
		{demoted, fault.Forbidden, fault.NotFound},
		{admin, "", ""},
	} {
		_, err := w.Sessions(t.Context(), test.caller.Principal, page.Only("member", who.MemberID))
		requireCode(t, test.list, err)
		_, err = w.EndSession(t.Context(), test.caller.Principal, who.SessionID)
		requireCode(t, test.end, err)
	}
	for _, id := range []uint64{who.SessionID, 12345} { // ended, and missing
		_, err := w.EndSession(t.Context(), who.Principal, id)
		requireCode(t, fault.NotFound, err)
	}
	require.Len(t, w.Everything(t), 1)
}
