package system

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
)

// inFlight is the service with something that happens once, after a login has read its member and before its password has
// been looked at.
func (s *system) inFlight(happens func()) *account.Service {
	return account.NewService(s.depsInFlight(happens))
}

func (s *system) depsInFlight(happens func()) account.Dependencies {
	deps := s.deps
	deps.Passwords = meanwhile{Passwords: deps.Passwords, happens: sync.OnceFunc(happens)}
	return deps
}

func TestALoginInFlightDoesNotSurviveANewPassword(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	service := s.inFlight(func() {
		_, _, err := s.Update(t.Context(), who.Principal, who.MemberID, account.Change{
			Password: new("Another'pwd1"), CurrentPassword: new(password),
		})
		require.NoError(t, err)
	})
	_, err := service.LogIn(t.Context(), attacker, who.Email, password)
	require.Equal(t, credentials, err)
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM sessions"))
	require.Equal(t, 2, s.number(t, "SELECT SUM(failures) FROM login_failures"), "one for the email, one for the network")
}

func TestALoginInFlightDoesNotSurviveTheOperatorsNewPassword(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	service := s.inFlight(func() {
		created, err := s.CreateAdmin(t.Context(), who.Email, "Another'pwd1")
		require.NoError(t, err)
		require.False(t, created)
	})
	_, err := service.LogIn(t.Context(), attacker, who.Email, password)
	require.Equal(t, credentials, err)
}

func TestALoginWithTheNewPasswordOutlivesAChangeOfItsHash(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	s.exec(t, "UPDATE members SET password_hash = 'an older hash' WHERE id = ?", who.MemberID)
	deps := s.depsInFlight(func() {
		s.exec(t, "UPDATE members SET password_hash = ? WHERE id = ?", "hash of "+password, who.MemberID)
	})
	deps.Passwords = anyOldHash{deps.Passwords}
	_, err := account.NewService(deps).LogIn(t.Context(), attacker, who.Email, password)
	require.NoError(t, err)
	require.Equal(t, 2, s.number(t, "SELECT COUNT(*) FROM sessions"))
}

func TestALoginInFlightBearsNoRightThatWasTakenAway(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who, other := s.admin(t, 1), s.admin(t, 2)
	deps := s.depsInFlight(func() {
		_, _, err := s.Update(t.Context(), other.Principal, who.MemberID, account.Change{Admin: new(false)})
		require.NoError(t, err)
	})
	issued := &issuedFor{Tokens: deps.Tokens}
	deps.Tokens = issued
	login, err := account.NewService(deps).LogIn(t.Context(), browser, who.Email, password)
	require.NoError(t, err)
	require.False(t, login.View.Member.Admin)
	require.False(t, issued.member.Admin)
}

func TestARefreshBearsNoRightThatWasTakenAway(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.admin(t, 1)
	deps := s.deps
	issued := &issuedFor{Tokens: deps.Tokens}
	deps.Tokens = issued
	s.exec(t, "UPDATE members SET is_admin = FALSE WHERE id = ?", who.MemberID)
	_, _, err := account.NewService(deps).Refresh(t.Context(), browser, who.grant.RefreshToken)
	require.NoError(t, err)
	require.False(t, issued.member.Admin)
}

// issuedFor is account.Tokens that notes what the last token says.
type issuedFor struct {
	account.Tokens
	member account.Member
}

func (i *issuedFor) Issue(member account.Member, sessionID uint64, issuedAt, expiresAt time.Time) (string, error) {
	i.member = member
	return i.Tokens.Issue(member, sessionID, issuedAt, expiresAt)
}

// anyOldHash is account.Passwords to which "an older hash" is one of the same password.
type anyOldHash struct{ account.Passwords }

func (a anyOldHash) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	ok, outdated, err = a.Passwords.Verify(ctx, hash, password)
	return ok || hash == "an older hash", outdated || hash == "an older hash", err
}
