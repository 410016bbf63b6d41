package account_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
	"oms.internal/libs/fault"
)

func TestAnAdminMadeByAnOperatorIsCompleteAndActive(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	created, err := w.CreateAdmin(t.Context(), "root@x.test", newPassword)
	require.NoError(t, err)
	require.True(t, created)
	stored, err := w.store.MemberByEmail(t.Context(), "root@x.test")
	require.NoError(t, err)
	require.Equal(t, account.Member{
		ID: stored.ID, Version: 1, Email: "root@x.test", Name: "Admin", Nickname: "admin", Phone: "0000000", PasswordHash: "hash of " + newPassword,
		Admin: true, Active: true, CreatedAt: noon,
	}, stored)
}

func TestAnOperatorGivesAndTakesTheAdminRightAndThePasswordStays(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	id := w.Register(t, 1).MemberID
	before, earlier := w.member(id), len(w.store.Events())
	set := func(admin, changes bool) {
		changed, err := w.SetAdmin(t.Context(), before.Email, admin)
		require.NoError(t, err)
		require.Equal(t, changes, changed)
		require.Equal(t, admin, w.member(id).Admin)
		require.Equal(t, before.PasswordHash, w.member(id).PasswordHash)
	}
	set(true, true)
	set(true, false)
	require.Empty(t, w.Published(), "a right that is new ends no session")
	set(false, true)
	require.Len(t, w.Published(), 1, "tokens bear the right that was taken")
	set(false, false)
	var actions []audit.Action
	for _, event := range w.store.Events()[earlier:] {
		require.Equal(t, []uint64{0, id}, []uint64{event.Actor, event.Subject})
		actions = append(actions, event.Action)
	}
	require.Equal(t, []audit.Action{audit.AdminGrant, audit.AdminRevoke}, actions)

	_, err := w.SetAdmin(t.Context(), "nobody@x.test", true)
	require.True(t, fault.Is(err, fault.NotFound))
}
