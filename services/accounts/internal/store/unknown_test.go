package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx/mysqlxtest"
)

func TestASignUpWhoseCommitIsLostIsLookedUpAndIsNoReplay(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	proxy := mysqlxtest.NewProxy(t, f.Pair.Primary.Addr())
	config := mysqlxtest.ConfigOf(f.Pair, f.Schema)
	config.Hosts = []string{proxy.Addr()}
	distant := store.New(mysqlxtest.Open(t, config), time.Now)
	ctx, cancel := context.WithTimeout(consistency.Into(t.Context(), 0), time.Minute)
	defer cancel()
	proxy.Lose(mysqlxtest.AfterOneCommit)
	made := 0
	request := answering("key")
	request.Answer = func(account.Member, account.Session) ([]byte, error) {
		made++
		return []byte{'a', byte(made)}, nil
	}
	kept, err := distant.CreateMember(ctx, sungi, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord(), request)
	require.NoError(t, err)
	require.Nil(t, kept, "it was this very request that did it")
	require.Greater(t, proxy.Commits.Load(), int32(1), "it was not looked up")
	require.Equal(t, 1, made)
	members, sessions := f.rows(t)
	require.Equal(t, []int{1, 1}, []int{members, sessions})
	require.NotZero(t, consistency.WrittenBy(ctx))

	// Without a key nobody can know.
	proxy.Lose(mysqlxtest.AfterOneCommit)
	_, err = distant.CreateMember(ctx, dream, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord(), answering(""))
	requireCode(t, fault.OutcomeUnknown, err)
}
