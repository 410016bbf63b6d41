package system

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// changes is everything that a caller can do to a member.
func changes(t *testing.T, s *system, target member) map[string]func(caller authn.Principal) error {
	update := func(change account.Change) func(authn.Principal) error {
		return func(caller authn.Principal) error {
			_, _, err := s.Update(t.Context(), caller, target.MemberID, change)
			return err
		}
	}
	return map[string]func(caller authn.Principal) error{
		"update":     update(account.Change{Nickname: new("hijack")}),
		"deactivate": update(account.Change{Active: new(false)}),
		"promote":    update(account.Change{Admin: new(true)}),
		"delete": func(caller authn.Principal) error {
			_, err := s.Delete(t.Context(), caller, target.MemberID, nil)
			return err
		},
		"end session": func(caller authn.Principal) error {
			_, err := s.EndSession(t.Context(), caller, target.SessionID)
			return err
		},
		"read events": func(caller authn.Principal) error {
			_, _, err := s.AuditEvents(t.Context(), caller, audit.Query{})
			return err
		},
	}
}

func TestTheAdminRightIsThatOfTheDatabaseAndNotOfAnOldToken(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	target := s.signUp(t, 1)
	for i, test := range []struct {
		spoil string
		want  fault.Code
	}{
		{"UPDATE members SET is_admin = FALSE WHERE id = ?", fault.Forbidden},
		{"UPDATE members SET is_active = FALSE WHERE id = ?", fault.Unauthenticated},
		{"DELETE FROM members WHERE id = ?", fault.Unauthenticated},
	} {
		former := s.admin(t, 10+i)
		s.exec(t, test.spoil, former.MemberID)
		before := len(s.events(t))
		for name, change := range changes(t, s, target) {
			want := test.want
			if name == "end session" && want == fault.Forbidden {
				want = fault.NotFound
			}
			err := change(former.Principal)
			require.True(t, fault.Is(err, want), "%s: %v", name, err)
		}
		require.Len(t, s.events(t), before)
	}
	unchanged, err := s.store.Member(t.Context(), target.MemberID)
	require.NoError(t, err)
	require.Equal(t, target.Member, unchanged)
	require.Empty(t, s.everything(t))
}

func TestAnInactiveMemberChangesNothingOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	s.exec(t, "UPDATE members SET is_active = FALSE WHERE id = ?", who.MemberID)
	for name, change := range changes(t, s, who) {
		if name != "read events" {
			require.True(t, fault.Is(change(who.Principal), fault.Unauthenticated), name)
		}
	}
}

func TestOnlyAdminsDecideWhoIsActiveAndWhoIsAdmin(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, who := s.admin(t, 0), s.signUp(t, 1)
	rights := account.Change{Active: new(false), Admin: new(true)}
	_, revocations, err := s.Update(t.Context(), who.Principal, who.MemberID, rights)
	require.NoError(t, err)
	require.Empty(t, revocations)
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM members WHERE id = ? AND is_active AND NOT is_admin", who.MemberID))

	_, revocations, err = s.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Admin: new(true)})
	require.NoError(t, err)
	require.Empty(t, revocations, "a promotion ends nothing")
	_, revocations, err = s.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Admin: new(false)})
	require.NoError(t, err)
	require.Len(t, revocations, 1, "tokens bear the right")
	_, _, err = s.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Active: new(false)})
	require.NoError(t, err)
	_, err = s.LogIn(t.Context(), browser, who.Email, password)
	require.Equal(t, credentials, err)
	_, _, err = s.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Active: new(true)})
	require.NoError(t, err)
	s.again(t, who)
}

func TestAnAdminMadeByAnOperatorLosesItsSessionsWithItsOldPassword(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	created, err := s.CreateAdmin(t.Context(), who.Email, "Another'pwd1")
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, []account.Revocation{{
		Sequence: 1, MemberID: who.MemberID, ThroughSession: who.SessionID, Until: s.time().Add(tokenLifetime + account.RevocationMargin),
	}}, s.everything(t))
	require.Equal(t, s.everything(t), s.publisher.published)
	grant, _ := s.refresh(t, who.grant.RefreshToken)
	require.Empty(t, grant)
}
