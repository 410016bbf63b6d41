package system

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

var (
	attacker    = account.Client{Address: "198.51.100.1", UserAgent: "Curl/1"}
	credentials = fault.InvalidField("non_field_errors", "Incorrect Credentials")
)

// try logs in and returns how long the client is asked to wait; -1 says that the password was looked at and refused.
func (s *system) try(t *testing.T, client account.Client, email, password string) time.Duration {
	t.Helper()
	_, err := s.LogIn(t.Context(), client, email, password)
	switch {
	case fault.Is(err, fault.TooManyRequests):
		return fault.Of(err).RetryAfter
	case err != nil:
		require.Equal(t, credentials, err)
		return -1
	}
	return 0
}

func TestFailedLoginsAreFreeAtFirstAndThenWaitLongerAndLonger(t *testing.T) {
	t.Parallel()
	for _, email := range []string{"m1@x.test", "nobody@x.test"} {
		s := newSystem(t)
		s.signUp(t, 1)
		for range 5 {
			require.Equal(t, time.Duration(-1), s.try(t, attacker, email, wrong))
		}
		for i := range 13 {
			delay := min(time.Second<<min(i, 10), 15*time.Minute)
			require.Equal(t, delay, s.try(t, attacker, strings.ToUpper(email), wrong), "%s: failure %d", email, i)
			s.advance(delay - time.Millisecond)
			require.Equal(t, time.Millisecond, s.try(t, attacker, email, password), "within the delay nothing is looked at")
			s.advance(time.Millisecond)
			require.Equal(t, time.Duration(-1), s.try(t, attacker, email, wrong))
			if i > 10 { // the longest delay is also the quiet time that forgives one failure
				require.Equal(t, 15*time.Minute, s.try(t, attacker, email, wrong))
			}
		}
	}
}

func TestQuietTimeForgivesAndASuccessForgets(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.signUp(t, 1)
	fail := func(times int) {
		for range times {
			require.Equal(t, time.Duration(-1), s.try(t, attacker, "m1@x.test", wrong))
		}
	}
	fail(5)
	s.advance(30 * time.Minute) // two are forgiven: three remain, and two more are free
	fail(2)
	require.Equal(t, time.Second, s.try(t, attacker, "m1@x.test", wrong))
	s.advance(time.Second)
	require.Zero(t, s.try(t, attacker, "m1@x.test", password))
	fail(5)
}

func TestAKnownDeviceIsKeptOutByItsOwnFailuresOnly(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.signUp(t, 1) // with the browser
	neighbour := account.Client{Address: "203.0.113.99", UserAgent: browser.UserAgent}
	sameNetwork := account.Client{Address: "203.0.113.7", UserAgent: "Curl/1"}
	for _, client := range []account.Client{attacker, sameNetwork} {
		for range 20 {
			s.try(t, client, "m1@x.test", wrong)
		}
	}
	for i := range 60 { // others, from the same network
		s.try(t, sameNetwork, fmt.Sprintf("other%d@x.test", i), wrong)
	}
	require.Positive(t, s.try(t, sameNetwork, "m2@x.test", password), "the network is slowed down")
	require.Positive(t, s.try(t, account.Client{Address: "192.0.2.1", UserAgent: "New/1"}, "m1@x.test", password), "a new device waits")
	require.Zero(t, s.try(t, browser, "m1@x.test", password))
	require.Zero(t, s.try(t, neighbour, "m1@x.test", password), "an address may change within its network")

	for range 5 {
		require.Equal(t, time.Duration(-1), s.try(t, browser, "m1@x.test", wrong))
	}
	require.Equal(t, time.Second, s.try(t, browser, "m1@x.test", password))
	require.Zero(t, s.try(t, account.Client{Address: "192.0.2.1", UserAgent: "New/1"}, "m1@x.test", password),
		"the failures of a known device are its own")
}

func TestANetworkIsAPartOfTheInternetThatOneCustomerHolds(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.signUp(t, 1)
	for i := range 51 {
		client := account.Client{Address: fmt.Sprintf("2001:db8:1:%x::1", i%256), UserAgent: fmt.Sprint(i)} // in one /56
		s.try(t, client, fmt.Sprintf("other%d@x.test", i), wrong)
	}
	require.Positive(t, s.try(t, account.Client{Address: "2001:db8:1:ff::2"}, "m1@x.test", password))
	require.Zero(t, s.try(t, account.Client{Address: "2001:db8:1:100::2"}, "m1@x.test", password), "another customer")
}

func TestTheFailuresOfANetworkAreForgivenSooner(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	for i := range 70 {
		s.try(t, attacker, fmt.Sprintf("other%d@x.test", i), wrong)
		s.advance(time.Millisecond)
	}
	for i := range 20 { // as fast as the answers allow
		wait := s.try(t, attacker, fmt.Sprintf("more%d@x.test", i), wrong)
		if wait > 0 {
			require.LessOrEqual(t, wait, 3*time.Minute)
			s.advance(wait)
		}
	}
	s.advance(2 * time.Minute)
	require.Equal(t, time.Duration(-1), s.try(t, attacker, "another@x.test", wrong))

	nowhere := account.Client{UserAgent: "Curl/1"}
	for i := range 70 {
		require.Equal(t, time.Duration(-1), s.try(t, nowhere, fmt.Sprintf("nowhere%d@x.test", i), wrong))
	}
}

func TestOfManyGuessesAtTheSameMomentOnlyTheFreeOnesAreAnswered(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.signUp(t, 1)
	const guesses = 30
	var waits [guesses]time.Duration
	together(guesses, func(i int) { waits[i] = s.try(t, attacker, "m1@x.test", wrong) })
	answered := 0
	for _, wait := range waits {
		if wait < 0 {
			answered++
		}
	}
	require.Equal(t, 5, answered)
	require.Equal(t, 5, s.number(t, "SELECT MIN(failures) FROM login_failures"))
	require.Positive(t, s.try(t, attacker, "m1@x.test", password), "the right password is refused like all others now")
}

// meanwhile is account.Passwords that lets something happen while a password is looked at.
type meanwhile struct {
	readable
	happens func()
}

func (m meanwhile) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	m.happens()
	return m.readable.Verify(ctx, hash, password)
}

func TestALoginIsJudgedAgainWhenItsPasswordHasBeenLookedAt(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	deps := s.deps
	deps.Passwords = meanwhile{happens: func() {
		for range 6 {
			s.try(t, attacker, who.Email, wrong)
		}
	}}
	service := account.NewService(deps)
	for _, shown := range []string{password, wrong} { // the answer must not tell which
		_, err := service.LogIn(t.Context(), attacker, who.Email, shown)
		require.Equal(t, fault.NewTooManyRequests(time.Second), err)
		s.exec(t, "DELETE FROM login_failures")
	}
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM sessions"))
	_, err := service.LogIn(t.Context(), browser, who.Email, password)
	require.NoError(t, err, "a known device")
}

func TestGuessesOfThePresentPasswordCountAsFailedLogins(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]account.Change{
		"current_password":           {Email: new("new@x.test"), CurrentPassword: new(wrong)},
		"password":                   {Password: new(wrong)},
		"password and a wrong proof": {Password: new("Another'pwd1"), CurrentPassword: new(wrong)},
	} {
		s := newSystem(t)
		who := s.signUp(t, 1)
		change.UserAgent = "Stolen/1"
		for range 5 {
			_, _, err := s.Update(t.Context(), who.Principal, who.MemberID, change)
			requireCode(t, fault.Invalid, err)
		}
		_, _, err := s.Update(t.Context(), who.Principal, who.MemberID, change)
		require.Equal(t, fault.NewTooManyRequests(time.Second), err, name)
		require.Equal(t, time.Second, s.try(t, attacker, who.Email, password), name)
		change.UserAgent = browser.UserAgent
		_, _, err = s.Update(t.Context(), who.Principal, who.MemberID, change)
		requireCode(t, fault.Invalid, err)
	}
}

func TestAGuessOfThePresentPasswordIsJudgedAgainWhenItHasBeenLookedAt(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	deps := s.deps
	deps.Passwords = meanwhile{happens: func() {
		for range 6 {
			s.try(t, attacker, who.Email, wrong)
		}
	}}
	service := account.NewService(deps)
	for name, change := range map[string]account.Change{
		"nothing changes, right": {Password: new(password)},
		"nothing changes, wrong": {Password: new(wrong)},
		"new email, right":       {Email: new("new@x.test"), CurrentPassword: new(password)},
		"new email, wrong":       {Email: new("new@x.test"), CurrentPassword: new(wrong)},
	} {
		change.UserAgent = "Stolen/1"
		_, _, err := service.Update(t.Context(), who.Principal, who.MemberID, change)
		require.Equal(t, fault.NewTooManyRequests(time.Second), err, name)
		s.exec(t, "DELETE FROM login_failures")
	}
}

func TestAProofOfThePresentPasswordIsNoGuess(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	for i, change := range []account.Change{
		{Email: new("new@x.test")}, // demands the proof
		{Password: new(password)},
		{Password: new("Another'pwd1"), CurrentPassword: new(password)},
	} {
		_, _, err := s.Update(t.Context(), who.Principal, who.MemberID, change)
		require.Equal(t, i == 0, err != nil, "%v", err)
	}
	require.Zero(t, s.number(t, "SELECT COUNT(*) FROM login_failures"))
}

func TestKnownDevicesAreBoundedAndForgotten(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	who := s.signUp(t, 1)
	for i := range account.MaxDevices + 5 {
		s.advance(time.Second)
		require.Zero(t, s.try(t, account.Client{Address: "192.0.2.1", UserAgent: fmt.Sprint(i)}, who.Email, password))
	}
	require.Equal(t, account.MaxDevices, s.number(t, "SELECT COUNT(*) FROM known_devices"))
	require.Equal(t, account.MaxDevices, s.number(t, "SELECT COUNT(*) FROM known_devices WHERE login_at > ?", who.CreatedAt.Add(5*time.Second)))
	removed, err := s.store.DeleteKnownDevices(t.Context(), s.time(), 500)
	require.NoError(t, err)
	require.Equal(t, account.MaxDevices-1, removed)
	_, err = s.Delete(t.Context(), who.Principal, who.MemberID, nil)
	require.NoError(t, err)
	require.Zero(t, s.number(t, "SELECT COUNT(*) FROM known_devices"))
	require.Zero(t, s.number(t, "SELECT COUNT(*) FROM sessions WHERE address <> '' OR user_agent <> ''"))
}
