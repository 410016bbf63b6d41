package account_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

// browser is a client; what it says of itself is kept with its session.
var browser = account.Client{Address: "203.0.113.7", UserAgent: "Browser/1"}

func opened(id, memberID uint64) account.Session {
	return account.Session{
		ID: id, MemberID: memberID, CreatedAt: noonish, ExpiresAt: noonish.Add(refreshLifetime), TokenExpiresAt: noonish.Add(lifetime),
		LastSeenAt: noonish,
		Address:    "203.0.113.7", UserAgent: "Browser/1",
	}
}

// granted is what a client gets where all random bytes are 0.
func granted(token string) account.Grant {
	return account.Grant{
		Token: token, Expiry: noonish.Add(lifetime),
		RefreshToken: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", RefreshExpiry: noonish.Add(refreshLifetime),
	}
}

func TestALoginOpensASessionAndShowsTheLastOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, account.DirectoryAdmin)
	login, err := w.LogIn(t.Context(), browser, "sungi@x.test", password)
	require.NoError(t, err)
	require.Equal(t, account.Login{View: wholeA(w), Grant: granted("token of session 888 of member 1")}, login)
	require.Equal(t, []account.Session{opened(888, idA)}, w.store.sessions)
	require.Empty(t, w.store.rehashed)
	require.Empty(t, w.paused)
}

// slowly is account.Passwords whose verification takes a while, as that of a hash from Django.
type slowly struct {
	readable
	while time.Duration
}

func (s *slowly) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	<-time.After(s.while)
	return s.readable.Verify(ctx, hash, password)
}

func TestEveryRefusedLoginTakesTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, account.DirectoryMasked)
		for _, while := range []time.Duration{30 * time.Millisecond, 400 * time.Millisecond} {
			deps := w.deps
			deps.Passwords, deps.Now, deps.Pause = &slowly{while: while}, time.Now, nil
			service := account.NewService(deps)
			began := time.Now()
			_, err := service.LogIn(t.Context(), browser, "sungi@x.test", "Wrong'pwd00")
			require.Error(t, err)
			require.Equal(t, time.Second, time.Since(began))
			began = time.Now()
			_, err = service.LogIn(t.Context(), browser, "sungi@x.test", password)
			require.NoError(t, err)
			require.Equal(t, while, time.Since(began))
		}
	})
}

func TestEveryRefusedLoginIsTheSameAfterTheSameWork(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		email, password string
		inactive        bool
	}{
		"unknown email":                 {email: "nobody@x.test", password: password},
		"wrong password":                {email: "sungi@x.test", password: "Wrong'pwd00"},
		"inactive":                      {email: "sungi@x.test", password: password, inactive: true},
		"inactive and a wrong password": {email: "sungi@x.test", password: "Wrong'pwd00", inactive: true},
	} {
		w := newWorld(t, account.DirectoryMasked)
		member := w.store.members[idA]
		member.Active = !test.inactive
		w.store.members[idA] = member
		login, err := w.LogIn(t.Context(), browser, test.email, test.password)
		require.Equal(t, fault.InvalidField("non_field_errors", "Incorrect Credentials"), err, name)
		require.Empty(t, login, name)
		require.Equal(t, []string{"verify"}, w.passwords.asked, name)
		require.Equal(t, []time.Duration{time.Second}, w.paused, name)
		require.Empty(t, w.store.sessions, name)
	}
}

func TestALoginThatLosesARaceIsRefusedLikeOneWithAWrongPassword(t *testing.T) {
	t.Parallel()
	lost := func(gone error, password string) (*world, account.Login, error) {
		w := newWorld(t, account.DirectoryMasked)
		w.store.gone = gone
		login, err := w.LogIn(t.Context(), browser, "sungi@x.test", password)
		return w, login, err
	}
	want := fault.InvalidField("non_field_errors", "Incorrect Credentials")
	like, _, err := lost(nil, "Wrong'pwd00")
	require.Equal(t, want, err)
	for name, gone := range map[string]error{
		"deleted": fault.NewNotFound(), "deactivated": fault.NewForbidden(), "another password": account.ErrPasswordChanged,
	} {
		w, login, err := lost(gone, password)
		require.Equal(t, want, err, name)
		require.Empty(t, login, name)
		require.Empty(t, w.publisher.published, name)
		if name == "another password" { // the present one is looked at too, once
			require.Equal(t, []string{"verify", "verify"}, w.passwords.asked)
		} else {
			require.Equal(t, like.passwords.asked, w.passwords.asked, name)
		}
		require.Equal(t, like.store.failed, w.store.failed, name)
		require.Equal(t, like.store.events, w.store.events, name)
	}
	_, _, err = lost(errBroken, password)
	require.ErrorIs(t, err, errBroken)
}

func TestALoginReplacesAnOutdatedHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, account.DirectoryMasked)
	member := w.store.members[idA]
	member.PasswordHash = "old hash of " + password
	w.store.members[idA] = member
	_, err := w.LogIn(t.Context(), browser, "sungi@x.test", "Wrong'pwd00")
	require.Error(t, err)
	require.Empty(t, w.store.rehashed)
	_, err = w.LogIn(t.Context(), browser, "sungi@x.test", password)
	require.NoError(t, err)
	require.Equal(t, "hash of "+password, w.store.rehashed)
}

func TestWhatEndsSessionsSaysWhichAndUntilWhen(t *testing.T) {
	t.Parallel()
	until := noonish.Add(lifetime + account.RevocationMargin)
	for name, test := range map[string]struct {
		end     func(*world) ([]account.Revocation, error)
		revoked string
		want    account.Revocation
	}{
		"logout": {
			func(w *world) ([]account.Revocation, error) { return w.LogOut(t.Context(), callerA) },
			"session 101 of 1 at 12:00:00", account.Revocation{SessionID: 101, Until: until},
		},
		"logout of all": {
			func(w *world) ([]account.Revocation, error) { return w.LogOutAll(t.Context(), callerA) },
			"sessions of 1 at 12:00:00", account.Revocation{MemberID: idA, ThroughSession: 500, Until: until},
		},
		"deletion": {
			func(w *world) ([]account.Revocation, error) { return w.Delete(t.Context(), callerA, idA, nil) },
			"member 1 at 12:00:00", account.Revocation{MemberID: idA, ThroughSession: math.MaxInt64, Until: until},
		},
		"deletion by an admin": {
			func(w *world) ([]account.Revocation, error) { return w.Delete(t.Context(), callerAdmin, idB, nil) },
			"member 2 at 12:00:00", account.Revocation{MemberID: idB, ThroughSession: math.MaxInt64, Until: until},
		},
	} {
		w := newWorld(t, account.DirectoryMasked)
		revocations, err := test.end(w)
		require.NoError(t, err, name)
		require.Equal(t, []account.Revocation{test.want}, revocations, name)
		require.Equal(t, [][]account.Revocation{{test.want}}, w.publisher.published, name)
		require.Equal(t, []string{test.revoked}, w.store.revoked, name)
	}
}

func TestRevocationsAreListedWithTheNumberUpToWhichTheyAreComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, account.DirectoryMasked)
	revocations, latest, err := w.Revoked(t.Context(), 40, 2)
	require.NoError(t, err)
	require.Equal(t, []account.Revocation{{Sequence: 41, SessionID: 2, Until: noonish.Add(time.Minute)}}, revocations)
	require.Equal(t, uint64(43), latest)
}

func TestExpiredSessionsAreRemovedEveryMinuteWhateverFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, account.DirectoryMasked)
		found := []int{1000, 1000, 3, -1, 1000, 999, 7}
		w.store.expired = make(chan int, len(found))
		for _, count := range found {
			w.store.expired <- count
		}
		ended := make(chan error, 1)
		go func() { ended <- w.CleanUp(t.Context()) }()
		for _, left := range []int{4, 3, 1, 0, 0} { // full batches are followed up at once
			<-time.After(time.Minute)
			synctest.Wait()
			require.Len(t, w.store.expired, left)
		}
		require.Empty(t, ended)
	})
}
