package store_test

import (
	"database/sql"
	"testing"

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
	created, revocations, err := f.CreateAdmin(t.Context(), admin, ending())
	require.NoError(t, err)
	require.Empty(t, revocations)
	require.True(t, created)
	stored, err := f.MemberByEmail(t.Context(), "root@x.test")
	require.NoError(t, err)
	want := admin
	want.ID, want.Version = stored.ID, 1
	require.Equal(t, want, stored)
	_, sessions := f.rows(t)
	require.Zero(t, sessions)
	revocations, err = f.RevokeSessions(t.Context(), stored.ID, ending())
	require.NoError(t, err, "it has no session to end")
	require.Empty(t, revocations)
	require.Empty(t, f.revoked(t))
}

func TestAMemberBecomesAdminAndKeepsEverythingButItsPassword(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	stored, session := f.create(t, sungi)
	promoted := admin
	promoted.Email = "SUNGI@x.test"
	// Its sessions have not the new right, and whoever opened them had the old password. Twice is harmless.
	for _, ended := range [][]account.Revocation{{{Sequence: 1, MemberID: stored.ID, ThroughSession: session.ID, Until: until}}, nil} {
		created, revocations, err := f.CreateAdmin(t.Context(), promoted, ending())
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, ended, revocations)
		want := stored
		want.Admin, want.PasswordHash, want.Version = true, "hash of root", 2
		require.Equal(t, want, f.get(t, stored.ID))
	}
	members, _ := f.rows(t)
	require.Equal(t, 1, members)
	require.Equal(t, []uint64{session.ID}, f.revoked(t))
}

func TestAPromotionKeepsWhatTheMemberChangesMeanwhile(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	stored, _ := f.create(t, sungi)
	promoted := admin
	promoted.Email = sungi.Email

	err := f.meanwhile(t, func(tx *sql.Tx) {
		execute(t, tx, "UPDATE members SET nickname = 'other' WHERE id = ?", stored.ID)
	}, func() error {
		_, _, err := f.CreateAdmin(t.Context(), promoted, ending())
		return err
	})
	require.NoError(t, err)
	want := stored
	want.Nickname, want.Admin, want.PasswordHash, want.Version = "other", true, "hash of root", 2
	require.Equal(t, want, f.get(t, stored.ID))
}
