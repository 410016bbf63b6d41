package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/fault"
)

func (s *serving) refresh(t *testing.T, text string) account.Grant {
	t.Helper()
	grant, _, err := s.Refresh(t.Context(), browser, text)
	require.NoError(t, err)
	return grant
}

func TestARefreshRenewsItsSessionAndARevocationCoversItsTokens(t *testing.T) {
	t.Parallel()
	s := newService(t)
	who := s.registerAdmin(t, 1)
	first := s.refresh(t, who.RefreshToken)
	require.Contains(t, first.Token, "admin true")
	s.Advance(time.Hour)
	s.exec(t, "UPDATE members SET is_admin = FALSE")
	again := s.refresh(t, who.RefreshToken)
	require.Contains(t, again.Token, "admin false", "it bears a right that was taken away")
	require.Equal(t, first.RefreshToken, again.RefreshToken)
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM sessions WHERE token_expires_at = ? AND expires_at = ?", again.Expiry, again.RefreshExpiry))
	revocations, err := s.LogOut(t.Context(), who.Principal)
	require.NoError(t, err)
	require.Equal(t, again.Expiry.Add(account.RevocationMargin), revocations[0].Until)

	// They are stored as digests only.
	for _, token := range []string{who.RefreshToken, again.RefreshToken} {
		require.Zero(t, s.number(t, `SELECT COUNT(*) FROM refresh_tokens
			WHERE token_hash = FROM_BASE64(REPLACE(REPLACE(CONCAT(?, '='), '-', '+'), '_', '/'))
			   OR salt = FROM_BASE64(REPLACE(REPLACE(CONCAT(?, '='), '-', '+'), '_', '/'))`, token, token))
	}
	require.Equal(t, 2, s.number(t, "SELECT COUNT(DISTINCT salt) FROM refresh_tokens"))
}

func TestTwoRefreshesAtTheSameMomentGetOneSuccessor(t *testing.T) {
	t.Parallel()
	s := newService(t)
	who := s.Register(t, 1)
	const clients = 8
	var grants [clients]account.Grant
	for _, err := range together(clients, func(i int) (err error) {
		grants[i], _, err = s.Refresh(t.Context(), browser, who.RefreshToken)
		return err
	}) {
		require.NoError(t, err)
	}
	for _, grant := range grants {
		require.Equal(t, grants[0].RefreshToken, grant.RefreshToken)
	}
	require.Equal(t, 2, s.number(t, "SELECT COUNT(*) FROM refresh_tokens"))
	require.Empty(t, s.Everything(t))
}

func TestAUsedTokenWhoseSuccessorWasUsedEndsItsSession(t *testing.T) {
	t.Parallel()
	s := newService(t)
	who := s.Register(t, 1)
	s.refresh(t, s.refresh(t, who.RefreshToken).RefreshToken)
	_, revocations, err := s.Refresh(t.Context(), attacker, who.RefreshToken)
	requireCode(t, fault.Unauthenticated, err)
	require.Len(t, revocations, 1)
	require.Equal(t, []uint64{who.SessionID}, s.revoked(t))
	require.Equal(t, revocations, s.Everything(t))
}

func TestANewPasswordEndsTheRepetitionOfARefreshTokenAndNotTheSession(t *testing.T) {
	t.Parallel()
	for name, issuer := range map[string]string{
		"issued by this version":       "",
		"issued by the version before": "UPDATE refresh_tokens SET issued_under = NULL",
	} {
		s := newService(t)
		who := s.Register(t, 1)
		if issuer != "" {
			s.exec(t, issuer)
		}
		first := s.refresh(t, who.RefreshToken)
		require.Equal(t, first.RefreshToken, s.refresh(t, who.RefreshToken).RefreshToken, name)
		_, _, err := s.Update(t.Context(), who.Principal, who.MemberID, account.Change{
			Password: new("New'pwd0000"), CurrentPassword: new(accounttest.Password),
		})
		require.NoError(t, err, name)
		_, revocations, err := s.Refresh(t.Context(), browser, who.RefreshToken)
		requireCode(t, fault.Unauthenticated, err)
		require.Empty(t, revocations, name)
		second := s.refresh(t, first.RefreshToken)
		_, _, err = s.Refresh(t.Context(), browser, first.RefreshToken)
		requireCode(t, fault.Unauthenticated, err) // it was issued under the former password
		third := s.refresh(t, second.RefreshToken)
		require.Equal(t, third.RefreshToken, s.refresh(t, second.RefreshToken).RefreshToken, name)
	}
}

func TestExpiredRefreshTokensAreRemovedInBatches(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for i := range 3 {
		s.Register(t, i)
	}
	s.Advance(time.Hour)
	kept := s.Register(t, 3)
	s.Advance(accounttest.RefreshLifetime - time.Minute)
	for _, want := range []int{2, 1, 0} {
		removed, err := s.DeleteExpiredRefreshTokens(t.Context(), s.Now(), 2)
		require.NoError(t, err)
		require.Equal(t, want, removed)
	}
	s.refresh(t, kept.RefreshToken)
}
