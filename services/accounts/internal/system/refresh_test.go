package system

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

var invalidToken = fault.New(fault.Unauthenticated, "Invalid token.", nil).WithHeader("WWW-Authenticate", "Token")

func (s *system) refresh(t *testing.T, text string) (account.Grant, []account.Revocation) {
	t.Helper()
	grant, revocations, err := s.Refresh(t.Context(), browser, text)
	if err != nil {
		require.Equal(t, invalidToken, err)
		require.Empty(t, grant)
	}
	return grant, revocations
}

func TestARevocationCoversTheTokenOfARepeatedRefresh(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	s.refresh(t, who.grant.RefreshToken)
	s.Advance(time.Hour)
	again, _ := s.refresh(t, who.grant.RefreshToken)
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM sessions WHERE token_expires_at = ? AND expires_at = ?", again.Expiry, again.RefreshExpiry))
	require.Equal(t, 2, s.number(t, "SELECT COUNT(*) FROM refresh_tokens"))
	revocations, err := s.LogOut(t.Context(), who.Principal)
	require.NoError(t, err)
	require.Equal(t, again.Expiry.Add(account.RevocationMargin), revocations[0].Until)
}

func TestTwoRefreshesAtTheSameMomentGetOneSuccessor(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	const clients = 8
	var grants [clients]account.Grant
	var errs [clients]error
	together(clients, func(i int) { grants[i], _, errs[i] = s.Refresh(t.Context(), browser, who.grant.RefreshToken) })
	for i := range clients {
		require.NoError(t, errs[i])
		require.Equal(t, grants[0].RefreshToken, grants[i].RefreshToken)
	}
	require.Equal(t, 2, s.number(t, "SELECT COUNT(*) FROM refresh_tokens"))
	require.Empty(t, s.everything(t))
}

func TestRefreshTokensAreStoredAsDigestsOnly(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	next, _ := s.refresh(t, who.grant.RefreshToken)
	for _, token := range []string{who.grant.RefreshToken, next.RefreshToken} {
		require.Zero(t, s.number(t, `SELECT COUNT(*) FROM refresh_tokens
			WHERE token_hash = FROM_BASE64(REPLACE(REPLACE(CONCAT(?, '='), '-', '+'), '_', '/'))
			   OR salt = FROM_BASE64(REPLACE(REPLACE(CONCAT(?, '='), '-', '+'), '_', '/'))`, token, token))
	}
	require.Equal(t, 2, s.number(t, "SELECT COUNT(DISTINCT salt) FROM refresh_tokens"))
}

func TestExpiredRefreshTokensAndSessionsAreRemovedInBatches(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for i := range 3 {
		s.signUp(t, i)
	}
	s.Advance(time.Hour)
	kept := s.signUp(t, 3)
	s.Advance(refreshLifetime - time.Minute)
	for _, remove := range []func() (int, error){
		func() (int, error) { return s.store.DeleteExpiredRefreshTokens(t.Context(), s.Now(), 2) },
		func() (int, error) { return s.store.DeleteExpiredSessions(t.Context(), s.Now(), 2) },
	} {
		for _, want := range []int{2, 1, 0} {
			removed, err := remove()
			require.NoError(t, err)
			require.Equal(t, want, removed)
		}
	}
	grant, _ := s.refresh(t, kept.grant.RefreshToken)
	require.NotEmpty(t, grant)
}
