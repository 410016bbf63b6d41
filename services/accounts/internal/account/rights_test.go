package account_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// changes is everything that a caller can do to a member.
func changes(t *testing.T, h *house, target inhabitant) map[string]func(caller authn.Principal) error {
	update := func(change account.Change) func(authn.Principal) error {
		return func(caller authn.Principal) error {
			_, _, err := h.Update(t.Context(), caller, target.MemberID, change)
			return err
		}
	}
	return map[string]func(caller authn.Principal) error{
		"update":     update(account.Change{Nickname: new("hijack")}),
		"deactivate": update(account.Change{Active: new(false)}),
		"promote":    update(account.Change{Admin: new(true)}),
		"delete": func(caller authn.Principal) error {
			_, err := h.Delete(t.Context(), caller, target.MemberID, nil)
			return err
		},
		"end session": func(caller authn.Principal) error {
			_, err := h.EndSession(t.Context(), caller, target.SessionID)
			return err
		},
		"read events": func(caller authn.Principal) error {
			_, err := h.AuditEvents(t.Context(), caller, listing.Request{Limit: 1})
			return err
		},
	}
}

func TestTheAdminRightIsThatOfTheDatabaseAndNotOfAnOldToken(t *testing.T) {
	t.Parallel()
	h := newHouse()
	target := h.signUp(t, 1)
	for i, test := range []struct {
		spoil func(id uint64)
		want  fault.Code
	}{
		{func(id uint64) { h.store.Alter(id, demote) }, fault.Forbidden},
		{func(id uint64) { h.store.Alter(id, deactivate) }, fault.Unauthenticated},
		{h.store.Remove, fault.Unauthenticated},
	} {
		former := h.admin(t, 10+i)
		test.spoil(former.MemberID)
		before := len(h.store.Events())
		for name, change := range changes(t, h, target) {
			want := test.want
			if name == "end session" && want == fault.Forbidden {
				want = fault.NotFound
			}
			err := change(former.Principal)
			require.True(t, fault.Is(err, want), "%s: %v", name, err)
		}
		require.Len(t, h.store.Events(), before)
	}
	unchanged, err := h.store.Member(t.Context(), target.MemberID)
	require.NoError(t, err)
	require.Equal(t, target.Member, unchanged)
	require.Empty(t, h.revocations(t))
}

func TestAnInactiveMemberChangesNothingOfItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse()
	who := h.signUp(t, 1)
	h.store.Alter(who.MemberID, deactivate)
	for name, change := range changes(t, h, who) {
		if name != "read events" {
			require.True(t, fault.Is(change(who.Principal), fault.Unauthenticated), name)
		}
	}
}

func TestOnlyAdminsDecideWhoIsActiveAndWhoIsAdmin(t *testing.T) {
	t.Parallel()
	h := newHouse()
	admin, who := h.admin(t, 0), h.signUp(t, 1)
	rights := account.Change{Active: new(false), Admin: new(true)}
	_, revocations, err := h.Update(t.Context(), who.Principal, who.MemberID, rights)
	require.NoError(t, err)
	require.Empty(t, revocations)
	unchanged, err := h.store.Member(t.Context(), who.MemberID)
	require.NoError(t, err)
	require.Equal(t, who.Member, unchanged)

	_, revocations, err = h.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Admin: new(true)})
	require.NoError(t, err)
	require.Empty(t, revocations, "a promotion ends nothing")
	_, revocations, err = h.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Admin: new(false)})
	require.NoError(t, err)
	require.Len(t, revocations, 1, "tokens bear the right")
	_, _, err = h.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Active: new(false)})
	require.NoError(t, err)
	_, err = h.LogIn(t.Context(), browser, who.Email, password)
	require.Equal(t, credentials, err)
	_, _, err = h.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Active: new(true)})
	require.NoError(t, err)
	require.Zero(t, h.try(t, browser, who.Email, password))
}

func TestWhoSeesAndEndsWhichSessions(t *testing.T) {
	t.Parallel()
	h := newHouse()
	admin, who, other := h.admin(t, 0), h.signUp(t, 1), h.signUp(t, 2)
	demoted := h.admin(t, 3)
	h.store.Alter(demoted.MemberID, demote)
	page := listing.Request{Limit: 10}
	for _, test := range []struct {
		caller inhabitant
		list   fault.Code
		end    fault.Code
	}{
		{other, fault.Forbidden, fault.NotFound},
		{demoted, fault.Forbidden, fault.NotFound},
		{admin, "", ""},
	} {
		_, err := h.Sessions(t.Context(), test.caller.Principal, page.Only("member", who.MemberID))
		requireCode(t, test.list, err)
		_, err = h.EndSession(t.Context(), test.caller.Principal, who.SessionID)
		requireCode(t, test.end, err)
	}
	for _, id := range []uint64{who.SessionID, 12345} { // ended, and missing
		_, err := h.EndSession(t.Context(), who.Principal, id)
		requireCode(t, fault.NotFound, err)
	}
	require.Len(t, h.revocations(t), 1)
}
