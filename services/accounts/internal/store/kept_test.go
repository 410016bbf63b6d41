package store_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

// once signs a member up with a key and returns what was kept before.
func (f fixture) signUpOnce(t *testing.T, member account.Member, request account.IdempotentRequest) ([]byte, error) {
	t.Helper()
	return f.CreateMember(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord(), request)
}

func TestASignUpWithAKeyIsStoredOnceAndItsAnswerGivenAgain(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	request := answering("key")
	request.Fingerprint = account.Digest{1}
	kept, err := f.Kept(t.Context(), request)
	require.NoError(t, err)
	require.Nil(t, kept)
	require.Zero(t, f.number(t, "SELECT COUNT(*) FROM idempotency_keys"), "a look left a trace")
	kept, err = f.signUpOnce(t, sungi, request)
	require.NoError(t, err)
	require.Nil(t, kept)
	for range 2 {
		kept, err = f.Kept(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, "answer", string(kept))
	}
	// Of another moment, so that it is not taken for the answer of this very request.
	request.Answer = func(account.Member, account.Session) ([]byte, error) { return nil, errors.New("was made again") }
	kept, err = f.signUpOnce(t, sungi, request)
	require.NoError(t, err)
	require.Equal(t, "answer", string(kept))
	other := request
	other.Fingerprint[0]++
	_, err = f.Kept(t.Context(), other)
	requireCode(t, fault.KeyReused, err)
	_, err = f.signUpOnce(t, dream, other)
	requireCode(t, fault.KeyReused, err)
	members, sessions := f.rows(t)
	require.Equal(t, []int{1, 1}, []int{members, sessions})
	require.Equal(t, 1, f.number(t, "SELECT COUNT(*) FROM outbox"))
}

func TestWhatIsRefusedIsNotKept(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	f.create(t, sungi)
	_, err := f.signUpOnce(t, sungi, answering("key"))
	require.Equal(t, account.ErrEmailTaken, err)
	broken := answering("key")
	broken.Answer = func(account.Member, account.Session) ([]byte, error) { return nil, errors.New("broken") }
	_, err = f.signUpOnce(t, dream, broken)
	require.ErrorContains(t, err, "broken")
	require.Zero(t, f.number(t, "SELECT COUNT(*) FROM idempotency_keys"))
	members, sessions := f.rows(t)
	require.Equal(t, []int{1, 1}, []int{members, sessions})
	kept, err := f.signUpOnce(t, dream, answering("key"))
	require.NoError(t, err, "the key of a refused request can be used again")
	require.Nil(t, kept)
}

func TestASignUpThatIsStillBeingDoneIsAConflict(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	tx, err := f.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(),
		"INSERT INTO idempotency_keys (caller_id, key_digest, fingerprint, created_at) VALUES (0, UNHEX(SHA2('key', 256)), ?, ?)",
		make([]byte, 32), now)
	require.NoError(t, err)
	_, err = f.Kept(t.Context(), answering("key"))
	requireCode(t, fault.Conflict, err)
	_, err = f.signUpOnce(t, sungi, answering("key"))
	requireCode(t, fault.Conflict, err)
	require.NoError(t, tx.Rollback())
	kept, err := f.signUpOnce(t, sungi, answering("key"))
	require.NoError(t, err)
	require.Nil(t, kept)
}

func TestOneOfManySignUpsWithOneKeyIsDoneAndAllAreAnsweredLikeIt(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	const crowd = 8
	kept := make([][]byte, crowd)
	require.NoError(t, errors.Join(together(crowd, func(i int) (err error) {
		request := answering("key")
		answer := []byte{'a', byte('0' + i)}
		request.Answer = func(account.Member, account.Session) ([]byte, error) { return answer, nil }
		kept[i], err = f.signUpOnce(t, sungi, request)
		return err
	})...))
	done := 0
	for i := range kept {
		if kept[i] == nil {
			done++
			continue
		}
		require.Equal(t, 1, f.number(t, "SELECT COUNT(*) FROM idempotency_keys WHERE answer = ?", kept[i]))
	}
	require.Equal(t, 1, done)
	members, sessions := f.rows(t)
	require.Equal(t, []int{1, 1}, []int{members, sessions})
}
