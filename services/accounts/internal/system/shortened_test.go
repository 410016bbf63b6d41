package system

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
)

// shortened is the service as it is after a restart with a shorter lifetime of tokens.
func (s *system) shortened() *account.Service {
	deps := s.deps
	deps.TokenLifetime, deps.RefreshLifetime = 10*time.Minute, time.Hour
	return account.NewService(deps)
}

func TestARevocationOutlivesTokensOfALongerLifetime(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *account.Service, member) ([]account.Revocation, error){
		"logout": func(t *testing.T, s *account.Service, who member) ([]account.Revocation, error) {
			return s.LogOut(t.Context(), who.Principal)
		},
		"logout of all": func(t *testing.T, s *account.Service, who member) ([]account.Revocation, error) {
			return s.LogOutAll(t.Context(), who.Principal)
		},
		"new password": func(t *testing.T, s *account.Service, who member) ([]account.Revocation, error) {
			who.SessionID = 0
			_, revocations, err := s.Update(t.Context(), who.Principal, who.MemberID, account.Change{
				Password: new("Another'pwd1"), CurrentPassword: new(password),
			})
			return revocations, err
		},
		"deletion": func(t *testing.T, s *account.Service, who member) ([]account.Revocation, error) {
			return s.Delete(t.Context(), who.Principal, who.MemberID, nil)
		},
	} {
		s := newSystem(t)
		who := s.signUp(t, 1)
		want := who.grant.Expiry.Add(account.RevocationMargin)
		s.Advance(time.Hour)
		shortened := s.shortened()
		grant, _, err := shortened.Refresh(t.Context(), browser, who.grant.RefreshToken)
		require.NoError(t, err, name)
		require.Equal(t, s.Now().Add(10*time.Minute), grant.Expiry, name)
		require.Equal(t, s.Now().Add(time.Hour), grant.RefreshExpiry, name)

		// The session is over for a refresh, but its first token is still valid, so it can still be ended.
		s.Advance(2 * time.Hour)
		removed, err := s.store.DeleteExpiredSessions(t.Context(), s.Now(), 10)
		require.NoError(t, err, name)
		require.Zero(t, removed, name)
		_, _, err = shortened.Refresh(t.Context(), browser, grant.RefreshToken)
		require.Equal(t, invalidToken, err, name)
		revocations, err := end(t, shortened, who)
		require.NoError(t, err, name)
		require.Len(t, revocations, 1, name)
		require.Equal(t, want, revocations[0].Until, name)
		require.Equal(t, revocations, s.everything(t), name)
	}
}

func TestASessionOfTheVersionBeforeHasTokensAsLongAsItLives(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	s.exec(t, "UPDATE sessions SET token_expires_at = NULL")
	revocations, err := s.LogOut(t.Context(), who.Principal)
	require.NoError(t, err)
	require.Equal(t, who.grant.RefreshExpiry.Add(account.RevocationMargin), revocations[0].Until)
}
