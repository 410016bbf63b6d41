package store_test

import (
	"crypto/sha512"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/authn"
	"oms.internal/libs/listing"
)

// importToken stores a token of drf-oms as its import does: with a session that expires with it. It returns in whose name it asks.
func (s *serving) importToken(t *testing.T, memberID uint64, token string, expires time.Time) (account.KnoxDigest, authn.Principal) {
	t.Helper()
	digest := account.KnoxDigest(sha512.Sum512([]byte(token)))
	inserted, err := s.db.ExecContext(t.Context(), "INSERT INTO sessions (member_id, created_at, expires_at, token_expires_at) VALUES (?, ?, ?, ?)",
		memberID, s.Now().Add(-time.Hour), expires, expires)
	require.NoError(t, err)
	id, err := inserted.LastInsertId()
	require.NoError(t, err)
	_, err = s.db.ExecContext(t.Context(), "INSERT INTO knox_tokens (digest, session_id, expires_at) VALUES (?, ?, ?)", digest[:], id, expires)
	require.NoError(t, err)
	return digest, authn.Principal{MemberID: memberID, SessionID: uint64(id)}
}

func (s *serving) requireCounts(t *testing.T, want bool, digest account.KnoxDigest, name string) {
	t.Helper()
	_, found, err := s.BearerOfKnoxToken(t.Context(), digest)
	require.NoError(t, err, name)
	require.Equal(t, want, found, name)
}

func TestASessionOfATokenOfDRFOMSIsListedAndEndedAsEveryOther(t *testing.T) {
	t.Parallel()
	s := newService(t)
	who := s.Register(t, 1)
	expires := s.Now().Add(100 * time.Hour) // longer than our own tokens live
	digest, own := s.importToken(t, who.MemberID, "first", expires)
	bearer, found, err := s.BearerOfKnoxToken(t.Context(), digest)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, account.Bearer{Principal: own, ExpiresAt: expires}, bearer)
	for _, caller := range []authn.Principal{own, who.Principal} {
		page, err := s.Sessions(t.Context(), caller, listing.Request{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, 2, page.Count)
		require.Equal(t, own.SessionID, page.Values[0].ID)
		require.Equal(t, s.Now().Add(-time.Hour), page.Values[0].CreatedAt)
	}

	ends := map[string]func(registered) ([]account.Revocation, error){
		"logout with it": func(who registered) ([]account.Revocation, error) { return s.LogOut(t.Context(), who.Principal) },
		"logout of all":  func(who registered) ([]account.Revocation, error) { return s.LogOutAll(t.Context(), who.Principal) },
		"end from elsewhere": func(who registered) ([]account.Revocation, error) {
			return s.EndSession(t.Context(), s.Again(t, who).Principal, who.SessionID)
		},
		"deletion": func(who registered) ([]account.Revocation, error) {
			return s.Delete(t.Context(), who.Principal, who.MemberID, nil)
		},
	}
	admin := s.registerAdmin(t, 2)
	for name, test := range endings {
		ends[name] = func(who registered) ([]account.Revocation, error) {
			caller := who
			if name == "new password" {
				caller = s.Again(t, who) // the session with which the password is changed goes on
			}
			return test.end(t.Context(), s.Service, caller, admin)
		}
	}
	n := 2
	for name, end := range ends {
		n++
		who := s.Register(t, n)
		digest, own := s.importToken(t, who.MemberID, name, expires)
		other, _ := s.importToken(t, admin.MemberID, "of another, "+name, expires)
		who.Principal = own
		s.requireCounts(t, true, digest, name)
		revocations, err := end(who)
		require.NoError(t, err, name)
		require.Len(t, revocations, 1, name)
		require.True(t, covers(revocations[0], account.Session{ID: own.SessionID, MemberID: own.MemberID}), name)
		require.Equal(t, expires.Add(account.RevocationMargin), revocations[0].Until, "%s: gateways remember it for longer than the token", name)
		s.requireCounts(t, false, digest, name)
		s.requireCounts(t, true, other, name)
	}
}

// A replica that is behind would let a token in that was logged out, and whoever asked would remember that.
func TestOnlyThePrimarySaysForWhomATokenOfDRFOMSStands(t *testing.T) {
	t.Parallel()
	s := newService(t)
	who := s.Register(t, 1)
	digest, _ := s.importToken(t, who.MemberID, "token", s.Now().Add(time.Hour))
	replica, err := s.Pair.Replica.Open(s.Schema.App.User, s.Schema.App.Password, s.Schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, replica.Close()) }()
	require.Eventually(t, func() bool {
		var count int
		return replica.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM knox_tokens").Scan(&count) == nil && count == 1
	}, time.Minute, 5*time.Millisecond)
	s.OnPrimaryAlone(t)("DELETE FROM knox_tokens")
	for range 20 {
		s.requireCounts(t, false, digest, "asked on the primary")
	}
}

func TestAnImportOfATokenDuringALogoutOfAllIsEndedByIt(t *testing.T) {
	s := newService(t)
	who := s.Register(t, 1)
	digest := account.KnoxDigest(sha512.Sum512([]byte("token")))
	var ended []account.Revocation
	require.NoError(t, s.meanwhile(t, func(tx *sql.Tx) {
		logInWithin(t, tx, who.Member)
		execute(t, tx, "INSERT INTO knox_tokens (digest, session_id, expires_at) SELECT ?, MAX(id), ? FROM sessions", digest[:], later)
	}, func() (err error) {
		ended, err = s.LogOutAll(t.Context(), who.Principal)
		return err
	}))
	require.Len(t, ended, 1)
	require.Greater(t, ended[0].ThroughSession, who.SessionID)
	s.requireCounts(t, false, digest, "after the logout")
}

func TestExpiredTokensOfDRFOMSAreRemovedInBatches(t *testing.T) {
	t.Parallel()
	s := newService(t)
	who := s.Register(t, 1)
	for _, token := range []string{"1", "2", "3"} {
		s.importToken(t, who.MemberID, token, s.Now().Add(time.Hour))
	}
	kept, _ := s.importToken(t, who.MemberID, "kept", s.Now().Add(accounttest.TokenLifetime))
	s.Advance(time.Hour + time.Microsecond)
	for _, want := range []int{2, 1, 0} {
		removed, err := s.DeleteExpiredKnoxTokens(t.Context(), s.Now(), 2)
		require.NoError(t, err)
		require.Equal(t, want, removed)
	}
	s.requireCounts(t, true, kept, "kept")
}
