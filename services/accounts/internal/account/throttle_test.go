package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/fault"
)

func TestFailedLoginsAreFreeAtFirstAndThenWaitLongerAndLonger(t *testing.T) {
	t.Parallel()
	for _, email := range []string{"m1@x.test", "nobody@x.test"} {
		w := newWorld()
		w.Register(t, 1)
		for range 5 {
			require.Equal(t, time.Duration(-1), w.try(t, attacker, email, wrong))
		}
		for i := range 13 {
			delay := min(time.Second<<min(i, 10), 15*time.Minute)
			require.Equal(t, delay, w.try(t, attacker, strings.ToUpper(email), wrong), "%s: failure %d", email, i)
			w.Advance(delay - time.Millisecond)
			require.Equal(t, time.Millisecond, w.try(t, attacker, email, password), "within the delay nothing is looked at")
			w.Advance(time.Millisecond)
			require.Equal(t, time.Duration(-1), w.try(t, attacker, email, wrong))
			if i > 10 { // the longest delay is also the quiet time that forgives one failure
				require.Equal(t, 15*time.Minute, w.try(t, attacker, email, wrong))
			}
		}
	}
}

func TestQuietTimeForgivesAndASuccessForgets(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1)
	fail := func(times int) {
		for range times {
			require.Equal(t, time.Duration(-1), w.try(t, attacker, "m1@x.test", wrong))
		}
	}
	fail(5)
	w.Advance(30 * time.Minute) // two are forgiven: three remain, and two more are free
	fail(2)
	require.Equal(t, time.Second, w.try(t, attacker, "m1@x.test", wrong))
	w.Advance(time.Second)
	require.Zero(t, w.try(t, attacker, "m1@x.test", password))
	fail(5)
}

func TestAKnownDeviceIsKeptOutByItsOwnFailuresOnly(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1) // with the browser
	neighbour := account.Client{Address: "203.0.113.99", UserAgent: browser.UserAgent}
	sameNetwork := account.Client{Address: "203.0.113.7", UserAgent: "Curl/1"}
	for _, client := range []account.Client{attacker, sameNetwork} {
		for range 20 {
			w.try(t, client, "m1@x.test", wrong)
		}
	}
	for i := range 60 { // others, from the same network
		w.try(t, sameNetwork, fmt.Sprintf("other%d@x.test", i), wrong)
	}
	require.Positive(t, w.try(t, sameNetwork, "m2@x.test", password), "the network is slowed down")
	require.Positive(t, w.try(t, account.Client{Address: "192.0.2.1", UserAgent: "New/1"}, "m1@x.test", password), "a new device waits")
	require.Zero(t, w.try(t, browser, "m1@x.test", password))
	require.Zero(t, w.try(t, neighbour, "m1@x.test", password), "an address may change within its network")

	for range 5 {
		require.Equal(t, time.Duration(-1), w.try(t, browser, "m1@x.test", wrong))
	}
	require.Equal(t, time.Second, w.try(t, browser, "m1@x.test", password))
	require.Zero(t, w.try(t, account.Client{Address: "192.0.2.1", UserAgent: "New/1"}, "m1@x.test", password),
		"the failures of a known device are its own")
}

func TestANetworkIsAPartOfTheInternetThatOneCustomerHolds(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1)
	for i := range 51 {
		client := account.Client{Address: fmt.Sprintf("2001:db8:1:%x::1", i%256), UserAgent: fmt.Sprint(i)} // in one /56
		w.try(t, client, fmt.Sprintf("other%d@x.test", i), wrong)
	}
	require.Positive(t, w.try(t, account.Client{Address: "2001:db8:1:ff::2"}, "m1@x.test", password))
	require.Zero(t, w.try(t, account.Client{Address: "2001:db8:1:100::2"}, "m1@x.test", password), "another customer")
}

func TestTheFailuresOfANetworkAreForgivenSooner(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for i := range 70 {
		w.try(t, attacker, fmt.Sprintf("other%d@x.test", i), wrong)
		w.Advance(time.Millisecond)
	}
	for i := range 20 { // as fast as the answers allow
		wait := w.try(t, attacker, fmt.Sprintf("more%d@x.test", i), wrong)
		if wait > 0 {
			require.LessOrEqual(t, wait, 3*time.Minute)
			w.Advance(wait)
		}
	}
	w.Advance(2 * time.Minute)
	require.Equal(t, time.Duration(-1), w.try(t, attacker, "another@x.test", wrong))

	nowhere := account.Client{UserAgent: "Curl/1"}
	for i := range 70 {
		require.Equal(t, time.Duration(-1), w.try(t, nowhere, fmt.Sprintf("nowhere%d@x.test", i), wrong))
	}
}

func TestALoginIsJudgedAgainWhenItsPasswordHasBeenLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld()
	who := w.Register(t, 1)
	guess := func() {
		for range 6 {
			w.try(t, attacker, who.Email, wrong)
		}
	}
	for _, shown := range []string{password, wrong} { // the answer must not tell which
		w.passwords.meanwhile = guess
		_, err := w.LogIn(t.Context(), attacker, who.Email, shown)
		require.Equal(t, fault.NewTooManyRequests(time.Second), err)
		w.store.ForgetFailures()
	}
	require.Equal(t, 1, w.store.CountSessions())
	w.passwords.meanwhile = guess
	_, err := w.LogIn(t.Context(), browser, who.Email, password)
	require.NoError(t, err, "a known device")
}

func TestGuessesOfThePresentPasswordCountAsFailedLogins(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]account.Change{
		"current_password":           {Email: new("new@x.test"), CurrentPassword: new(wrong)},
		"password":                   {Password: new(wrong)},
		"password and a wrong proof": {Password: new("Another'pwd1"), CurrentPassword: new(wrong)},
	} {
		w := newWorld()
		who := w.Register(t, 1)
		change.UserAgent = "Stolen/1"
		for range 5 {
			_, _, err := w.Update(t.Context(), who.Principal, who.MemberID, change)
			requireCode(t, fault.Invalid, err)
		}
		_, _, err := w.Update(t.Context(), who.Principal, who.MemberID, change)
		require.Equal(t, fault.NewTooManyRequests(time.Second), err, name)
		require.Equal(t, time.Second, w.try(t, attacker, who.Email, password), name)
		change.UserAgent = browser.UserAgent
		_, _, err = w.Update(t.Context(), who.Principal, who.MemberID, change)
		requireCode(t, fault.Invalid, err)
	}
}

func TestAGuessOfThePresentPasswordIsJudgedAgainWhenItHasBeenLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld()
	who := w.Register(t, 1)
	guess := func() {
		for range 6 {
			w.try(t, attacker, who.Email, wrong)
		}
	}
	for name, change := range map[string]account.Change{
		"nothing changes, right": {Password: new(password)},
		"nothing changes, wrong": {Password: new(wrong)},
		"new email, right":       {Email: new("new@x.test"), CurrentPassword: new(password)},
		"new email, wrong":       {Email: new("new@x.test"), CurrentPassword: new(wrong)},
	} {
		change.UserAgent = "Stolen/1"
		w.passwords.meanwhile = guess
		_, _, err := w.Update(t.Context(), who.Principal, who.MemberID, change)
		require.Equal(t, fault.NewTooManyRequests(time.Second), err, name)
		w.store.ForgetFailures()
	}
}

func TestAProofOfThePresentPasswordIsNoGuess(t *testing.T) {
	t.Parallel()
	w := newWorld()
	who := w.Register(t, 1)
	for i, change := range []account.Change{
		{Email: new("new@x.test")}, // demands the proof
		{Password: new(password)},
		{Password: new("Another'pwd1"), CurrentPassword: new(password)},
	} {
		_, _, err := w.Update(t.Context(), who.Principal, who.MemberID, change)
		require.Equal(t, i == 0, err != nil, "%v", err)
	}
	require.Zero(t, w.store.Failures())
}

func TestSignUpsWithTakenEmailsSlowDownTheirNetworkOnly(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1)
	attempt := func(client account.Client, email, key string) error {
		_, _, err := w.SignUp(t.Context(), client, account.NewMember{
			Email: email, Name: "Casey", Nickname: "casey", Phone: "0212345", Password: password,
		}, key)
		return err
	}
	for range 50 {
		require.Equal(t, account.ErrEmailTaken, attempt(attacker, "M1@x.test", ""))
	}
	events := w.store.Events()
	last := events[len(events)-1]
	require.Equal(t, []any{audit.SignUp, audit.Failure, attacker.Address}, []any{last.Action, last.Outcome, last.Address})
	for _, key := range []string{"", "key"} {
		require.Equal(t, fault.NewTooManyRequests(time.Second), attempt(attacker, "m1@x.test", key))
	}
	require.NoError(t, attempt(attacker, "free@x.test", ""), "somebody else in that network")
	elsewhere := account.Client{Address: "192.0.2.1", UserAgent: "Curl/1"}
	require.Equal(t, account.ErrEmailTaken, attempt(elsewhere, "m1@x.test", ""))
	require.Zero(t, w.try(t, account.Client{Address: "192.0.2.9", UserAgent: "New/1"}, "m1@x.test", password),
		"the email's member waits for nothing")
	w.Advance(time.Second)
	require.Equal(t, account.ErrEmailTaken, attempt(attacker, "m1@x.test", ""))
	require.Equal(t, fault.NewTooManyRequests(2*time.Second), attempt(attacker, "m1@x.test", ""))
}
