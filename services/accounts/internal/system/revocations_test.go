package system

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

func TestRevocationsHaveNoGapsAndAReaderMissesNone(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	const revokers = 50
	members := make([]member, revokers)
	for i := range members {
		members[i] = s.signUp(t, i)
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
	var problems [revokers]error
	together(revokers, func(i int) {
		if i%5 == 0 { // a transaction that takes a number and does not commit
			problems[i] = untilAvailable(func() error {
				return s.cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
					_, err := tx.ExecContext(ctx, "UPDATE revocation_counter SET latest = LAST_INSERT_ID(latest + 1) WHERE id = 1")
					return errors.Join(err, errRollback)
				})
			})
		}
		if problems[i] == nil || problems[i].Error() == errRollback.Error() {
			problems[i] = untilAvailable(func() error {
				_, err := s.LogOut(t.Context(), members[i].Principal)
				return err
			})
		}
	})
	for _, problem := range problems {
		require.NoError(t, problem)
	}
	done.Store(true)
	sequences := <-seen
	require.Len(t, sequences, revokers)
	for i, sequence := range sequences {
		require.Equal(t, uint64(i+1), sequence)
	}
}

// untilAvailable repeats what was refused because so many want the one counter at once, as a client does: a few times.
func untilAvailable(do func() error) (err error) {
	for range 5 {
		if err = do(); !fault.Is(err, fault.Unavailable) {
			break
		}
	}
	return err
}

var errRollback = errors.New("rolled back")

func TestAChangeThatEndsSessionsLeavesItsRevocation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(t *testing.T, s *system, who, admin member) ([]account.Revocation, error)
		want func(who member, latest uint64) account.Revocation
	}{
		"deactivation": {
			func(t *testing.T, s *system, who, admin member) ([]account.Revocation, error) {
				_, revocations, err := s.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Active: new(false)})
				return revocations, err
			},
			func(who member, latest uint64) account.Revocation {
				return account.Revocation{MemberID: who.MemberID, ThroughSession: latest}
			},
		},
		"new password": {
			func(t *testing.T, s *system, who, _ member) ([]account.Revocation, error) {
				_, revocations, err := s.Update(t.Context(), who.Principal, who.MemberID, account.Change{
					Password: new("Another'pwd1"), CurrentPassword: new(password),
				})
				return revocations, err
			},
			func(who member, latest uint64) account.Revocation {
				return account.Revocation{MemberID: who.MemberID, ThroughSession: latest, ExceptSession: who.SessionID}
			},
		},
		"new password by an admin": {
			func(t *testing.T, s *system, who, admin member) ([]account.Revocation, error) {
				_, revocations, err := s.Update(t.Context(), admin.Principal, who.MemberID, account.Change{Password: new("Another'pwd1")})
				return revocations, err
			},
			func(who member, latest uint64) account.Revocation {
				return account.Revocation{MemberID: who.MemberID, ThroughSession: latest}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			admin, who := s.admin(t, 0), s.signUp(t, 1)
			other := s.again(t, who)
			want := test.want(who, other.SessionID)
			want.Sequence, want.Until = 1, s.Now().Add(tokenLifetime+account.RevocationMargin)
			got, err := test.end(t, s, who, admin)
			require.NoError(t, err)
			require.Equal(t, []account.Revocation{want}, got)
			require.Equal(t, got, s.everything(t))
			require.Equal(t, got, s.publisher.published)
			live := map[string]int{"new password": 1}[name]
			require.Equal(t, live, s.number(t, "SELECT COUNT(*) FROM sessions WHERE member_id = ? AND revoked_at IS NULL", who.MemberID))
		})
	}
}

func TestRevocationsAreForgottenWhenTheirTokensHaveExpiredAndTheNumbersGoOn(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	_, err := s.LogOut(t.Context(), s.signUp(t, 1).Principal)
	require.NoError(t, err)
	s.Advance(tokenLifetime + account.RevocationMargin - time.Microsecond)
	require.Len(t, s.everything(t), 1)
	s.Advance(time.Microsecond)
	require.Empty(t, s.everything(t))
	s.Advance(time.Microsecond)
	deleted, err := s.store.DeleteExpiredRevocations(t.Context(), s.Now(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, deleted)
	revocations, latest, err := s.Revoked(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Empty(t, revocations)
	require.Equal(t, uint64(1), latest)
	revocations, err = s.LogOut(t.Context(), s.signUp(t, 2).Principal)
	require.NoError(t, err)
	require.Equal(t, uint64(2), revocations[0].Sequence)
}
