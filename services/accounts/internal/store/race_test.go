package store_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

// meanwhile runs work while another transaction has executed statements and not yet committed. It checks that work waits
// for that transaction, and returns what work returned.
func (f fixture) meanwhile(t *testing.T, statements func(*sql.Tx), work func() error) error {
	t.Helper()
	tx, err := f.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	statements(tx)
	ended := make(chan error, 1)
	go func() { ended <- work() }()
	f.AwaitLockWait(t)
	require.NoError(t, tx.Commit())
	return <-ended
}

func execute(t *testing.T, tx *sql.Tx, statement string, args ...any) {
	t.Helper()
	_, err := tx.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

// logInWithin does what a login does, in a transaction that goes on.
func logInWithin(t *testing.T, tx *sql.Tx, member account.Member) {
	t.Helper()
	execute(t, tx, "SELECT * FROM members WHERE id = ? FOR UPDATE", member.ID)
	execute(t, tx, "INSERT INTO sessions (member_id, created_at, expires_at) VALUES (?, ?, ?)", member.ID, now, later)
}

func TestALoginDuringWhatEndsAllSessionsOfItsMemberEndsToo(t *testing.T) {
	for name, end := range map[string]func(fixture, account.Member) ([]account.Revocation, error){
		"logout of all": func(f fixture, member account.Member) ([]account.Revocation, error) {
			return f.RevokeSessions(t.Context(), member.ID, ending())
		},
		"deletion": func(f fixture, member account.Member) ([]account.Revocation, error) {
			return f.DeleteMember(t.Context(), member.ID, anyVersion, ending())
		},
		"promotion": func(f fixture, member account.Member) ([]account.Revocation, error) {
			promoted := admin
			promoted.Email = member.Email
			_, ended, err := f.CreateAdmin(t.Context(), promoted, ending())
			return ended, err
		},
	} {
		f := newStore(t)
		member, first := f.create(t, sungi)
		var ended []account.Revocation
		require.NoError(t, f.meanwhile(t, func(tx *sql.Tx) { logInWithin(t, tx, member) }, func() (err error) {
			ended, err = end(f, member)
			return err
		}), name)
		require.Len(t, ended, 1, name)
		require.Greater(t, ended[0].ThroughSession, first.ID, name)
		require.Len(t, f.revoked(t), 2, name)
	}
}

func TestALoginBehindADeletionFails(t *testing.T) {
	f := newStore(t)
	member, _ := f.create(t, sungi)
	err := f.meanwhile(t, func(tx *sql.Tx) { execute(t, tx, "DELETE FROM members WHERE id = ?", member.ID) }, func() error {
		_, _, err := f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord())
		return err
	})
	requireCode(t, fault.NotFound, err)
	_, sessions := f.rows(t)
	require.Equal(t, 1, sessions)
}
