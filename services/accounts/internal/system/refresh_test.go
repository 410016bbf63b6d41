package system

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/audit"
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

func TestARefreshTokenIsUsedOnceAndRenewsTheSession(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	grant := s.signUp(t, 1).grant
	for range 3 {
		s.advance(time.Hour)
		next, _ := s.refresh(t, grant.RefreshToken)
		require.NotEqual(t, grant.RefreshToken, next.RefreshToken)
		require.NotEqual(t, grant.Token, next.Token)
		require.Equal(t, s.time().Add(tokenLifetime), next.Expiry)
		require.Equal(t, s.time().Add(refreshLifetime), next.RefreshExpiry)
		grant = next
	}
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM sessions WHERE expires_at = ?", grant.RefreshExpiry))
	require.Equal(t, 4, s.number(t, "SELECT COUNT(*) FROM refresh_tokens"))
	require.Empty(t, s.everything(t))
}

// reuseCases say what a used token gives, by when it is shown and whether its successor was used.
var reuseCases = map[string]struct {
	after    time.Duration
	followed bool
	same     bool // as the first time
	ends     bool // the session
}{
	"at once":                           {0, false, true, false},
	"after minutes":                     {12 * time.Minute, false, true, false},
	"at the end of the window":          {repeatWindow, false, true, false},
	"after the window":                  {repeatWindow + time.Microsecond, false, false, false},
	"at once, the successor was used":   {0, true, false, true},
	"long after the successor was used": {500 * time.Hour, true, false, true},
}

func TestAUsedRefreshTokenEndsItsSessionOnceItsSuccessorWasUsed(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	i := 0
	for name, test := range reuseCases {
		i++
		who := s.signUp(t, i)
		first, _ := s.refresh(t, who.grant.RefreshToken)
		newest := first
		if test.followed {
			newest, _ = s.refresh(t, first.RefreshToken)
		}
		s.advance(test.after)
		before := len(s.everything(t))
		again, revocations, err := s.Refresh(t.Context(), attacker, who.grant.RefreshToken) // from any network
		require.Equal(t, test.same, err == nil, name)
		if test.same {
			require.Equal(t, first.RefreshToken, again.RefreshToken, name)
			require.Equal(t, first.RefreshExpiry, again.RefreshExpiry, name)
			require.Equal(t, s.time().Add(tokenLifetime), again.Expiry, "%s: a token that is of use", name)
			require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM sessions WHERE id = ? AND token_expires_at = ?", who.SessionID, again.Expiry),
				"%s: a revocation lasts as long as the token", name)
		}
		if !test.ends {
			require.Empty(t, revocations, name)
			require.Len(t, s.everything(t), before, name)
			next, _ := s.refresh(t, newest.RefreshToken)
			require.NotEmpty(t, next, "%s: the session goes on", name)
			continue
		}
		require.Equal(t, invalidToken, err, name)
		require.Len(t, revocations, 1, name)
		require.Equal(t, who.SessionID, revocations[0].SessionID, name)
		require.Equal(t, s.time().Add(tokenLifetime+account.RevocationMargin), revocations[0].Until, name)
		require.Contains(t, s.publisher.published, revocations[0], name)
		events := s.events(t)
		last := events[len(events)-1]
		require.Equal(t, []any{audit.RefreshReuse, audit.Failure, who.MemberID, uint64(0), attacker.Address},
			[]any{last.Action, last.Outcome, last.Subject, last.Actor, last.Address}, name)
		for _, token := range []string{newest.RefreshToken, who.grant.RefreshToken} {
			grant, more := s.refresh(t, token)
			require.Empty(t, grant, name)
			require.Empty(t, more, "%s: the session ended twice", name)
		}
	}
}

func TestTheWindowForLostAnswersDoesNotExtendItself(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	first, _ := s.refresh(t, who.grant.RefreshToken)
	for range 2 {
		s.advance(repeatWindow / 2)
		again, _ := s.refresh(t, who.grant.RefreshToken)
		require.Equal(t, first.RefreshToken, again.RefreshToken)
	}
	s.advance(time.Microsecond)
	again, _ := s.refresh(t, who.grant.RefreshToken)
	require.Empty(t, again)
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

func TestWhatIsNoRefreshTokenOfALiveSessionGivesNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*testing.T, *system, member) string{
		"unknown":      func(*testing.T, *system, member) string { return strings.Repeat("A", 43) },
		"malformed":    func(*testing.T, *system, member) string { return "not base64 !" },
		"too short":    func(*testing.T, *system, member) string { return "AAAA" },
		"padded":       func(_ *testing.T, _ *system, who member) string { return who.grant.RefreshToken + "=" },
		"access token": func(_ *testing.T, _ *system, who member) string { return who.grant.Token },
		"expired": func(_ *testing.T, s *system, who member) string {
			s.advance(refreshLifetime)
			return who.grant.RefreshToken
		},
		"used and expired": func(t *testing.T, s *system, who member) string {
			s.refresh(t, who.grant.RefreshToken)
			s.advance(refreshLifetime)
			return who.grant.RefreshToken
		},
		"logged out": func(t *testing.T, s *system, who member) string {
			_, err := s.LogOut(t.Context(), who.Principal)
			require.NoError(t, err)
			return who.grant.RefreshToken
		},
		"deactivated": func(t *testing.T, s *system, who member) string {
			s.exec(t, "UPDATE members SET is_active = FALSE WHERE id = ?", who.MemberID)
			return who.grant.RefreshToken
		},
		"deleted": func(t *testing.T, s *system, who member) string {
			_, err := s.Delete(t.Context(), who.Principal, who.MemberID, nil)
			require.NoError(t, err)
			return who.grant.RefreshToken
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			who := s.signUp(t, 1)
			shown := spoil(t, s, who)
			before := len(s.publisher.published)
			grant, revocations := s.refresh(t, shown)
			require.Empty(t, grant)
			require.Empty(t, revocations)
			require.Len(t, s.publisher.published, before)
		})
	}
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
	s.advance(time.Hour)
	kept := s.signUp(t, 3)
	s.advance(refreshLifetime - time.Minute)
	for _, remove := range []func() (int, error){
		func() (int, error) { return s.store.DeleteExpiredRefreshTokens(t.Context(), s.time(), 2) },
		func() (int, error) { return s.store.DeleteExpiredSessions(t.Context(), s.time(), 2) },
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
