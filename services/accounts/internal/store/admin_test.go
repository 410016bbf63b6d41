package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
)

var admin = account.Member{
	Email: "Root@x.test", Name: "Admin", Nickname: "admin", Phone: "0000000", PasswordHash: "hash of root",
	Admin: true, Active: true, CreatedAt: now,
}

func TestAnAdminIsCreatedWhereNobodyHasTheEmail(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	created, err := f.CreateAdmin(t.Context(), admin)
	require.NoError(t, err)
	require.True(t, created)
	stored, err := f.MemberByEmail(t.Context(), "root@x.test")
	require.NoError(t, err)
	want := admin
	want.ID = stored.ID
	require.Equal(t, want, stored)
	_, sessions := f.rows(t)
	require.Zero(t, sessions)
}

func TestAMemberBecomesAdminAndKeepsEverythingButItsPassword(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	stored, _ := f.create(t, sungi)
	promoted := admin
	promoted.Email = "SUNGI@x.test"
	for range 2 { // twice is harmless
		created, err := f.CreateAdmin(t.Context(), promoted)
		require.NoError(t, err)
		require.False(t, created)
		want := stored
		want.Admin, want.PasswordHash = true, "hash of root"
		require.Equal(t, want, f.get(t, stored.ID))
	}
	members, _ := f.rows(t)
	require.Equal(t, 1, members)
}

func TestAPromotionKeepsWhatTheMemberChangesMeanwhile(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	stored, _ := f.create(t, sungi)
	promoted := admin
	promoted.Email = sungi.Email

	meanwhile, err := f.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = meanwhile.ExecContext(t.Context(), "UPDATE members SET nickname = 'other' WHERE id = ?", stored.ID)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := f.CreateAdmin(t.Context(), promoted)
		ended <- err
	}()
	f.awaitLockWait(t)
	require.NoError(t, meanwhile.Commit())
	require.NoError(t, <-ended)

	want := stored
	want.Nickname, want.Admin, want.PasswordHash = "other", true, "hash of root"
	require.Equal(t, want, f.get(t, stored.ID))
}

// awaitLockWait returns once a transaction in this schema waits for a row.
func (f fixture) awaitLockWait(t *testing.T) {
	t.Helper()
	root, err := f.pair.Primary.OpenRoot()
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	const waiting = `SELECT COUNT(*) FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
		WHERE trx_state = 'LOCK WAIT' AND db = ?`
	require.Eventually(t, func() bool {
		var count int
		return root.QueryRowContext(t.Context(), waiting, f.schema.Name).Scan(&count) == nil && count > 0
	}, 30*time.Second, 5*time.Millisecond)
}
