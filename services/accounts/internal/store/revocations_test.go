package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

func TestRevocationsHaveNoGapsAndAReaderMissesNone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const revokers = 50
	members := make([]registered, revokers)
	for i := range members {
		members[i] = s.Register(t, i)
	}
	var done atomic.Bool
	seen := make(chan []uint64)
	go func() { // a gateway that asks again and again, and believes what Latest says
		var sequences []uint64
		var after uint64
		for last := false; ; last = done.Load() {
			revocations, latest, err := s.Revoked(context.Background(), after, 7)
			for _, revocation := range revocations {
				sequences = append(sequences, revocation.Sequence)
			}
			if err != nil || last && latest == after {
				seen <- sequences
				return
			}
			after = latest
		}
	}()
	problems := together(revokers, func(i int) error {
		if i%5 == 0 { // a transaction that takes a number and does not commit
			err := untilAvailable(func() error {
				return s.Cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
					_, err := tx.ExecContext(ctx, "UPDATE revocation_counter SET latest = LAST_INSERT_ID(latest + 1) WHERE id = 1")
					return errors.Join(err, errRollback)
				})
			})
			if err.Error() != errRollback.Error() {
				return err
			}
		}
		return untilAvailable(func() error {
			_, err := s.LogOut(t.Context(), members[i].Principal)
			return err
		})
	})
	require.NoError(t, errors.Join(problems...))
	done.Store(true)
	sequences := <-seen
	require.Len(t, sequences, revokers)
	for i, sequence := range sequences {
		require.Equal(t, uint64(i+1), sequence)
	}
}

// untilAvailable repeats what was refused because so many want the one counter at once, as a client does.
func untilAvailable(do func() error) error {
	for giveUp := time.Now().Add(time.Minute); ; {
		if err := do(); !fault.Is(err, fault.Unavailable) || time.Now().After(giveUp) {
			return err
		}
	}
}

var errRollback = errors.New("rolled back")

// endings are all that ends a member's sessions, and the revocation of two sessions that it leaves.
var endings = map[string]struct {
	end  func(ctx context.Context, s *account.Service, who, admin registered) ([]account.Revocation, error)
	want func(who registered, latest uint64) account.Revocation
}{
	"deactivation": {
		func(ctx context.Context, s *account.Service, who, admin registered) ([]account.Revocation, error) {
			_, revocations, err := s.Update(ctx, admin.Principal, who.MemberID, account.Change{Active: new(false)})
			return revocations, err
		},
		allOf,
	},
	"new password": {
		func(ctx context.Context, s *account.Service, who, _ registered) ([]account.Revocation, error) {
			_, revocations, err := s.Update(ctx, who.Principal, who.MemberID, account.Change{
				Password: new("Another'pwd1"), CurrentPassword: new(password),
			})
			return revocations, err
		},
		func(who registered, latest uint64) account.Revocation {
			return account.Revocation{MemberID: who.MemberID, ThroughSession: latest, ExceptSession: who.SessionID}
		},
	},
	"new password by an admin": {
		func(ctx context.Context, s *account.Service, who, admin registered) ([]account.Revocation, error) {
			_, revocations, err := s.Update(ctx, admin.Principal, who.MemberID, account.Change{Password: new("Another'pwd1")})
			return revocations, err
		},
		allOf,
	},
}

func allOf(who registered, latest uint64) account.Revocation {
	return account.Revocation{MemberID: who.MemberID, ThroughSession: latest}
}

func TestAChangeThatEndsSessionsLeavesItsRevocation(t *testing.T) {
	t.Parallel()
	s := newService(t)
	admin, n := s.registerAdmin(t, 0), 0
	for name, test := range endings {
		n++
		who := s.Register(t, n)
		want := test.want(who, s.Again(t, who).SessionID)
		want.Sequence, want.Until = uint64(n), s.Now().Add(accounttest.TokenLifetime+account.RevocationMargin)
		got, err := test.end(t.Context(), s.Service, who, admin)
		require.NoError(t, err, name)
		require.Equal(t, []account.Revocation{want}, got, name)
		require.Equal(t, want, s.Published()[n-1], name)
	}
	require.Equal(t, s.Published(), s.Everything(t))
	s.revoked(t) // what the sessions say is the same
}

func TestARevocationOutlivesTokensOfALongerLifetime(t *testing.T) {
	t.Parallel()
	s := newService(t)
	deps := accounttest.Dependencies(s.Store, s.Clock)
	deps.TokenLifetime, deps.RefreshLifetime = 10*time.Minute, time.Hour
	shortened := account.NewService(deps) // after a restart with other settings
	ends := map[string]func(who registered) ([]account.Revocation, error){
		"logout": func(who registered) ([]account.Revocation, error) {
			return shortened.LogOut(t.Context(), who.Principal)
		},
		"logout of all": func(who registered) ([]account.Revocation, error) {
			return shortened.LogOutAll(t.Context(), who.Principal)
		},
		"deletion": func(who registered) ([]account.Revocation, error) {
			return shortened.Delete(t.Context(), who.Principal, who.MemberID, nil)
		},
		"new password": func(who registered) ([]account.Revocation, error) {
			who.SessionID = 0
			return endings["new password"].end(t.Context(), shortened, who, registered{})
		},
	}
	members := map[string]registered{}
	for name := range ends {
		members[name] = s.Register(t, len(members))
	}
	until := s.Now().Add(accounttest.TokenLifetime + account.RevocationMargin)
	s.Advance(time.Hour)
	for name, who := range members {
		grant, _, err := shortened.Refresh(t.Context(), browser, who.RefreshToken)
		require.NoError(t, err, name)
		require.Equal(t, s.Now().Add(10*time.Minute), grant.Expiry, name)
		require.Equal(t, s.Now().Add(time.Hour), grant.RefreshExpiry, name)
		who.Grant = grant
		members[name] = who
	}
	// The sessions are over for a refresh, but their first tokens are still valid, so they can still be ended.
	s.Advance(2 * time.Hour)
	removed, err := s.DeleteExpiredSessions(t.Context(), s.Now(), 10)
	require.NoError(t, err)
	require.Zero(t, removed)
	for name, who := range members {
		_, _, err = shortened.Refresh(t.Context(), browser, who.RefreshToken)
		requireCode(t, fault.Unauthenticated, err)
		revocations, err := ends[name](who)
		require.NoError(t, err, name)
		require.Len(t, revocations, 1, name)
		require.Equal(t, until, revocations[0].Until, name)
	}
	require.Len(t, s.Everything(t), len(ends))
}

func TestASessionOfTheVersionBeforeHasTokensAsLongAsItLives(t *testing.T) {
	t.Parallel()
	s := newService(t)
	who := s.Register(t, 1)
	s.exec(t, "UPDATE sessions SET token_expires_at = NULL")
	revocations, err := s.LogOut(t.Context(), who.Principal)
	require.NoError(t, err)
	require.Equal(t, who.RefreshExpiry.Add(account.RevocationMargin), revocations[0].Until)
}

func TestRevocationsAreForgottenWhenTheirTokensHaveExpiredAndTheNumbersGoOn(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, err := s.LogOut(t.Context(), s.Register(t, 1).Principal)
	require.NoError(t, err)
	s.Advance(accounttest.TokenLifetime + account.RevocationMargin - time.Microsecond)
	require.Len(t, s.Everything(t), 1)
	s.Advance(time.Microsecond)
	require.Empty(t, s.Everything(t))
	s.Advance(time.Microsecond)
	deleted, err := s.DeleteExpiredRevocations(t.Context(), s.Now(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, deleted)
	revocations, latest, err := s.Revoked(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Empty(t, revocations)
	require.Equal(t, uint64(1), latest)
	revocations, err = s.LogOut(t.Context(), s.Register(t, 2).Principal)
	require.NoError(t, err)
	require.Equal(t, uint64(2), revocations[0].Sequence)
}
