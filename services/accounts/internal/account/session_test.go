package account_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
)

// requireOpened checks that a login of the browser's opened a session that lives as long as its answer says.
func (w *world) requireOpened(t *testing.T, login account.Login) {
	t.Helper()
	caller := accounttest.RegisteredBy(t, login)
	require.Equal(t, noon.Add(lifetime), login.Expiry)
	require.Equal(t, noon.Add(refreshLifetime), login.RefreshExpiry)
	require.Len(t, login.RefreshToken, 43)
	session, err := w.store.Session(t.Context(), caller.SessionID)
	require.NoError(t, err)
	require.Equal(t, account.Session{
		ID: caller.SessionID, MemberID: caller.MemberID, CreatedAt: noon, ExpiresAt: login.RefreshExpiry, TokenExpiresAt: login.Expiry,
		LastSeenAt: noon, Address: browser.Address, UserAgent: browser.UserAgent,
	}, session)
}

func TestALoginOpensASessionAndShowsTheLastOrder(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryAdmin)
	before := wholeA(w)
	login, err := w.LogIn(t.Context(), browser, "sungi@x.test", password)
	require.NoError(t, err)
	require.Equal(t, before, login.View)
	require.Equal(t, before, wholeA(w), "a login changes no member")
	w.requireOpened(t, login)
	require.Empty(t, w.paused)
}

// slowly is account.Passwords whose verification takes a while, as that of a hash from Django.
type slowly struct {
	account.Passwords
	while time.Duration
}

func (s slowly) Verify(ctx context.Context, household, hash, password string) (ok, outdated bool, err error) {
	<-time.After(s.while)
	return s.Passwords.Verify(ctx, household, hash, password)
}

func TestEveryRefusedLoginTakesTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := populated(account.DirectoryMasked)
		for _, while := range []time.Duration{30 * time.Millisecond, 400 * time.Millisecond} {
			deps := w.deps
			deps.Passwords, deps.Now, deps.Pause = slowly{w.passwords, while}, time.Now, nil
			service := account.NewService(deps)
			began := time.Now()
			_, err := service.LogIn(t.Context(), browser, "sungi@x.test", wrong)
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
		active          bool
	}{
		"unknown email":                 {"nobody@x.test", password, true},
		"wrong password":                {"sungi@x.test", wrong, true},
		"inactive":                      {"sungi@x.test", password, false},
		"inactive and a wrong password": {"sungi@x.test", wrong, false},
	} {
		w := populated(account.DirectoryMasked)
		w.store.Alter(idA, func(member *account.Member) { member.Active = test.active })
		login, err := w.LogIn(t.Context(), browser, test.email, test.password)
		require.Equal(t, credentials, err, name)
		require.Empty(t, login, name)
		require.Equal(t, []string{"verify"}, w.passwords.asked, name)
		require.Equal(t, []time.Duration{time.Second}, w.paused, name)
		require.Zero(t, w.store.CountSessions(), name)
	}
}

// While its password is looked at, the member may change.
func TestALoginThatLosesARaceIsRefusedLikeOneWithAWrongPassword(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		password string
		happens  func(*world)
		verified int // how many hashes were looked at
	}{
		"a wrong password": {wrong, func(*world) {}, 1},
		"deleted":          {password, func(w *world) { w.store.Remove(idA) }, 1},
		"deactivated":      {password, func(w *world) { w.store.Alter(idA, deactivate) }, 1},
		"another password": {password, func(w *world) {
			w.store.Alter(idA, func(member *account.Member) { member.PasswordHash = "hash of another" })
		}, 2},
	} {
		w := populated(account.DirectoryMasked)
		w.passwords.meanwhile = func() { test.happens(w) }
		login, err := w.LogIn(t.Context(), attacker, "sungi@x.test", test.password)
		require.Equal(t, credentials, err, name)
		require.Empty(t, login, name)
		require.Empty(t, w.Published(), name)
		require.Len(t, w.passwords.asked, test.verified, name)
		require.Zero(t, w.store.CountSessions(), name)
		require.Equal(t, account.MaxSubjects, w.store.Failures(), "%s: one for each subject", name)
		require.Len(t, w.store.Events(), 1, name)
	}
}

// brokenStore is account.Store that opens no session.
type brokenStore struct{ account.Store }

func (brokenStore) CreateSession(context.Context, account.Member, account.Session, account.LoginRecord) (account.Member, account.Session, error) {
	return account.Member{}, account.Session{}, errBroken
}

func TestAFaultOfTheStoreIsNoWrongPassword(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	w.deps.Store = brokenStore{w.store}
	_, err := account.NewService(w.deps).LogIn(t.Context(), browser, "sungi@x.test", password)
	require.ErrorIs(t, err, errBroken)
	require.Zero(t, w.store.Failures())
}

func TestALoginOutlivesANewHashOfTheSamePassword(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	w.store.Alter(idA, func(member *account.Member) { member.PasswordHash = "old hash of " + password })
	w.passwords.meanwhile = func() {
		w.store.Alter(idA, func(member *account.Member) { member.PasswordHash = "hash of " + password })
	}
	_, err := w.LogIn(t.Context(), browser, "sungi@x.test", password)
	require.NoError(t, err)
}

func TestNeitherALoginNorARefreshBearsARightThatWasTakenAway(t *testing.T) {
	t.Parallel()
	w := newWorld()
	who := w.admin(t, 1)
	w.passwords.meanwhile = func() { w.store.Alter(who.MemberID, demote) }
	login, err := w.LogIn(t.Context(), browser, who.Email, password)
	require.NoError(t, err)
	require.False(t, login.View.Member.Admin)
	require.Contains(t, login.Token, "admin false")

	w.store.Alter(who.MemberID, func(member *account.Member) { member.Admin = true })
	grant, _ := w.refresh(t, who.RefreshToken)
	require.Contains(t, grant.Token, "admin true")
	w.store.Alter(who.MemberID, demote)
	grant, _ = w.refresh(t, grant.RefreshToken)
	require.Contains(t, grant.Token, "admin false")
}

func TestALoginReplacesAnOutdatedHash(t *testing.T) {
	t.Parallel()
	const outdated = "old hash of " + password
	w := populated(account.DirectoryMasked)
	w.store.Alter(idA, func(member *account.Member) { member.PasswordHash = outdated })
	_, err := w.LogIn(t.Context(), browser, "sungi@x.test", wrong)
	require.Error(t, err)
	require.Equal(t, outdated, w.member(idA).PasswordHash)
	_, err = w.LogIn(t.Context(), browser, "sungi@x.test", password)
	require.NoError(t, err)
	require.Equal(t, "hash of "+password, w.member(idA).PasswordHash)
}

func TestWhatEndsSessionsTellsGatewaysWhichAndUntilWhen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(w *world, who, admin accounttest.Registered) ([]account.Revocation, error)
		want func(who accounttest.Registered) account.Revocation
	}{
		"logout": {
			func(w *world, who, _ accounttest.Registered) ([]account.Revocation, error) {
				return w.LogOut(t.Context(), who.Principal)
			},
			func(who accounttest.Registered) account.Revocation {
				return account.Revocation{SessionID: who.SessionID}
			},
		},
		"logout of all": {
			func(w *world, who, _ accounttest.Registered) ([]account.Revocation, error) {
				return w.LogOutAll(t.Context(), who.Principal)
			},
			func(who accounttest.Registered) account.Revocation {
				return account.Revocation{MemberID: who.MemberID, ThroughSession: who.SessionID}
			},
		},
		"deletion": {
			func(w *world, who, _ accounttest.Registered) ([]account.Revocation, error) {
				return w.Delete(t.Context(), who.Principal, who.MemberID, nil)
			},
			func(who accounttest.Registered) account.Revocation {
				return account.Revocation{MemberID: who.MemberID, ThroughSession: math.MaxInt64}
			},
		},
		"deletion by an admin": {
			func(w *world, who, admin accounttest.Registered) ([]account.Revocation, error) {
				return w.Delete(t.Context(), admin.Principal, who.MemberID, nil)
			},
			func(who accounttest.Registered) account.Revocation {
				return account.Revocation{MemberID: who.MemberID, ThroughSession: math.MaxInt64}
			},
		},
	} {
		w := newWorld()
		admin, who := w.admin(t, 0), w.Register(t, 1)
		want := test.want(who)
		want.Sequence, want.Until = 1, noon.Add(lifetime+account.RevocationMargin)
		revocations, err := test.end(w, who, admin)
		require.NoError(t, err, name)
		require.Equal(t, []account.Revocation{want}, revocations, name)
		require.Equal(t, revocations, w.Published(), name)
	}
}

// expiring is account.Store in which batches of a clean-up find what the test says, and fail where that is negative.
type expiring struct {
	account.Store
	sessions chan int
}

func (e expiring) DeleteExpiredSessions(context.Context, time.Time, int) (int, error) {
	select {
	case found := <-e.sessions:
		if found < 0 {
			return 0, errBroken
		}
		return found, nil
	default:
		return 0, nil
	}
}

func (e expiring) DeleteExpiredRefreshTokens(context.Context, time.Time, int) (int, error) {
	return 0, errBroken
}

func (e expiring) DeleteExpiredKnoxTokens(context.Context, time.Time, int) (int, error) {
	return 0, nil
}

func (e expiring) DeleteExpiredRevocations(context.Context, time.Time, int) (int, error) {
	return 0, nil
}
func (e expiring) DeleteLoginFailures(context.Context, time.Time, int) (int, error)  { return 0, nil }
func (e expiring) DeleteKnownDevices(context.Context, time.Time, int) (int, error)   { return 0, nil }
func (e expiring) DeleteOldAuditEvents(context.Context, time.Time, int) (int, error) { return 0, nil }

func TestExpiredSessionsAreRemovedEveryMinuteWhateverFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		found := []int{1000, 1000, 3, -1, 1000, 999, 7}
		store := expiring{sessions: make(chan int, len(found))}
		for _, count := range found {
			store.sessions <- count
		}
		deps := newWorld().deps
		deps.Store = store
		ended := make(chan error, 1)
		go func() { ended <- account.NewService(deps).CleanUp(t.Context()) }()
		for _, left := range []int{4, 3, 1, 0, 0} { // full batches are followed up at once
			<-time.After(time.Minute)
			synctest.Wait()
			require.Len(t, store.sessions, left)
		}
		require.Empty(t, ended)
	})
}
