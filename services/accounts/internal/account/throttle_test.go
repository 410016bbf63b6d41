package account_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
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
	for i := range 120 { // strangers everywhere, five each
		w.try(t, account.Client{Address: fmt.Sprintf("198.51.%d.1", i/5)}, "m1@x.test", wrong)
	}
	for i := range 200 { // and in its network, with its own machine among them
		w.try(t, account.Client{Address: fmt.Sprintf("203.0.113.%d", 4+i%4), UserAgent: "Curl/1"}, fmt.Sprintf("other%d@x.test", i), wrong)
	}
	for range 20 {
		w.try(t, sameNetwork, "m1@x.test", wrong)
	}
	require.Positive(t, w.try(t, sameNetwork, "m2@x.test", password), "the network is slowed down")
	require.Positive(t, w.try(t, account.Client{Address: "192.0.2.1", UserAgent: "New/1"}, "m1@x.test", password), "a new device waits")
	require.Zero(t, w.try(t, browser, "m1@x.test", password))
	require.Zero(t, w.try(t, neighbour, "m1@x.test", password), "an address may change within its network")

	for range 5 {
		require.Positive(t, w.try(t, browser, "m1@x.test", wrong), "it hears what others would")
	}
	require.Positive(t, w.try(t, browser, "m1@x.test", password))
}

func TestTheFailuresOfAKnownDeviceAreThoseOfItsAddress(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1)
	for range 5 {
		require.Equal(t, time.Duration(-1), w.try(t, browser, "m1@x.test", wrong))
	}
	require.Equal(t, time.Second, w.try(t, browser, "m1@x.test", password))
	require.Zero(t, w.try(t, account.Client{Address: "192.0.2.1", UserAgent: "New/1"}, "m1@x.test", password))
}

// What strangers may do without slowing down a device that the member logs in with for the first time.
func TestTheFailuresOfStrangersDoNotDelayANewDevice(t *testing.T) {
	t.Parallel()
	device := account.Client{Address: "192.0.2.1", UserAgent: "New/1"}
	for name, stranger := range map[string]func(i int) account.Client{
		"one machine, as often as it may":     func(int) account.Client { return attacker },
		"a neighbour":                         func(int) account.Client { return account.Client{Address: "192.0.2.77", UserAgent: "New/1"} },
		"twenty machines, five failures each": func(i int) account.Client { return account.Client{Address: fmt.Sprintf("198.51.%d.1", i%20)} },
	} {
		w := newWorld()
		w.Register(t, 1)
		for i := range 99 {
			w.try(t, stranger(i), "m1@x.test", wrong)
		}
		require.Zero(t, w.try(t, device, "m1@x.test", password), name)
	}
}

func TestManyMachinesTogetherDelayANewDeviceForAMinuteAtMost(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1)
	for i := range 1000 {
		w.try(t, account.Client{Address: fmt.Sprintf("198.51.%d.1", i%200)}, "m1@x.test", wrong)
		w.Advance(10 * time.Second)
	}
	device := account.Client{Address: "192.0.2.1", UserAgent: "New/1"}
	wait := w.try(t, device, "m1@x.test", password)
	require.Positive(t, wait)
	require.LessOrEqual(t, wait, time.Minute)
	w.Advance(wait)
	require.Zero(t, w.try(t, device, "m1@x.test", password))
}

// Who does not know the password sees the same from the device that the member logs in with and from any other.
func TestNobodyLearnsWithWhatAMemberLogsIn(t *testing.T) {
	t.Parallel()
	seen := map[string][]time.Duration{}
	for _, userAgent := range []string{browser.UserAgent, "Another/1"} {
		for place, address := range map[string]string{"at its address": browser.Address, "in its network": "203.0.113.99"} {
			w := newWorld()
			w.Register(t, 1)
			guess := func(client account.Client, times int) {
				for range times {
					w.paused = nil
					seen[place+userAgent] = append(seen[place+userAgent], w.try(t, client, "m1@x.test", wrong), w.paused[0])
					w.Advance(300 * time.Millisecond)
				}
			}
			candidate := account.Client{Address: address, UserAgent: userAgent}
			guess(candidate, 3)
			guess(account.Client{Address: address, UserAgent: "Curl/1"}, 20)
			guess(candidate, 20)
			w.Advance(20 * time.Minute)
			guess(candidate, 20)
		}
	}
	for _, place := range []string{"at its address", "in its network"} {
		require.Equal(t, seen[place+"Another/1"], seen[place+browser.UserAgent], place)
	}
}

func TestNoNumberOfEarlyLoginsKeepsAKnownDeviceOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Register(t, 1)
		stranger := func(i int) account.Client { return account.Client{Address: fmt.Sprintf("198.51.%d.1", i%250)} }
		for i := range 150 {
			w.try(t, stranger(i), "m1@x.test", wrong)
		}
		w.deps.Pause = nil // a timer
		service := account.NewService(w.deps)
		waiting := make(chan error, 500)
		for i := range cap(waiting) {
			go func() {
				_, err := service.LogIn(t.Context(), stranger(i), "m1@x.test", wrong)
				waiting <- err
			}()
		}
		synctest.Wait()
		require.Empty(t, waiting, "all of them wait")
		_, err := service.LogIn(t.Context(), browser, "m1@x.test", password)
		require.NoError(t, err)
		for range cap(waiting) {
			require.True(t, fault.Is(<-waiting, fault.TooManyRequests))
		}
	})
}

// failing is account.Passwords that fail once they are asked to look at one.
type failing struct {
	account.Passwords
	err error
}

func (f failing) Verify(context.Context, string, string, string) (ok, outdated bool, err error) {
	return false, false, f.err
}

// unwritable is a store that opens no session.
type unwritable struct {
	*watched
	err error
}

func (u unwritable) CreateSession(context.Context, account.Member, account.Session, account.LoginRecord) (account.Member, account.Session, error) {
	return account.Member{}, account.Session{}, u.err
}

func TestWhateverFailsWithinADelayLooksLikeTheDelay(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*account.Dependencies, *watched){
		"no place at the hash": func(d *account.Dependencies, _ *watched) {
			d.Passwords = failing{d.Passwords, fault.NewTooManyRequests(time.Hour)}
		},
		"no turn at the hash": func(d *account.Dependencies, _ *watched) {
			d.Passwords = failing{d.Passwords, fault.NewUnavailable(nil)}
		},
		"a hash that cannot be read": func(d *account.Dependencies, _ *watched) { d.Passwords = failing{d.Passwords, errBroken} },
		"no primary":                 func(d *account.Dependencies, s *watched) { d.Store = unwritable{s, fault.NewUnavailable(nil)} },
		"a lost connection":          func(d *account.Dependencies, s *watched) { d.Store = unwritable{s, fault.NewOutcomeUnknown(nil)} },
		"a slow database":            func(d *account.Dependencies, s *watched) { d.Store = unwritable{s, fault.NewTimeout(nil)} },
		"nothing":                    func(*account.Dependencies, *watched) {},
	} {
		w := newWorld()
		w.Register(t, 1)
		for i := range 150 {
			w.try(t, account.Client{Address: fmt.Sprintf("198.51.%d.1", i%200)}, "m1@x.test", wrong)
		}
		breaks(&w.deps, w.store)
		service := account.NewService(w.deps)
		seen := map[string]bool{}
		for _, userAgent := range []string{browser.UserAgent, "Another/1"} {
			w.paused = nil
			guess := password
			if name == "nothing" {
				guess = wrong
			}
			_, err := service.LogIn(t.Context(), account.Client{Address: browser.Address, UserAgent: userAgent}, "m1@x.test", guess)
			seen[fmt.Sprint(err, fault.Of(err).RetryAfter, w.paused)] = true
			require.True(t, fault.Is(err, fault.TooManyRequests), "%s: %v", name, err)
			require.Equal(t, []time.Duration{time.Second}, w.paused, name)
		}
		require.Len(t, seen, 1, name)
	}
}

// householdsOf notes whose share of the hash is taken.
type householdsOf struct {
	account.Passwords
	asked map[string]bool
}

func (h householdsOf) Verify(ctx context.Context, household, hash, password string) (ok, outdated bool, err error) {
	h.asked[household] = true
	return h.Passwords.Verify(ctx, household, hash, password)
}

func TestAHouseholdHasOneShareOfTheHashHoweverManyAddressesItUses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		addresses func(i int) string
		want      int
	}{
		"all /64 of a /56":    {func(i int) string { return fmt.Sprintf("2001:db8:1:1%02x::%x", i%256, i+1) }, 1},
		"two /56":             {func(i int) string { return fmt.Sprintf("2001:db8:1:%x00::1", 1+i%2) }, 2},
		"neighbours of IPv4":  {func(i int) string { return fmt.Sprintf("192.0.2.%d", i%256) }, 256},
		"addresses not known": {func(int) string { return "" }, 1},
	} {
		w := newWorld()
		passwords := householdsOf{w.passwords, map[string]bool{}}
		w.deps.Passwords = passwords
		service := account.NewService(w.deps)
		for i := range 256 {
			_, err := service.LogIn(t.Context(), account.Client{Address: test.addresses(i)}, fmt.Sprintf("m%d@x.test", i), wrong)
			require.Error(t, err)
			w.Advance(time.Hour)
		}
		require.Len(t, passwords.asked, test.want, name)
	}
}

func TestANetworkIsAPartOfTheInternetThatOneCustomerHolds(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1)
	for i := range 151 {
		client := account.Client{Address: fmt.Sprintf("2001:db8:1:%x::1", i%256), UserAgent: fmt.Sprint(i)} // in one /56
		w.try(t, client, fmt.Sprintf("other%d@x.test", i), wrong)
	}
	require.Positive(t, w.try(t, account.Client{Address: "2001:db8:1:ff::2"}, "m1@x.test", password))
	require.Zero(t, w.try(t, account.Client{Address: "2001:db8:1:100::2"}, "m1@x.test", password), "another customer")
}

func TestOneMachineSlowsDownItselfAndNotItsNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1)
	for i := range 300 { // a /64 of IPv6 is one machine
		w.try(t, account.Client{Address: fmt.Sprintf("2001:db8:1:1::%x", i)}, fmt.Sprintf("other%d@x.test", i), wrong)
	}
	require.Positive(t, w.try(t, account.Client{Address: "2001:db8:1:1::ffff"}, "m1@x.test", password))
	require.Zero(t, w.try(t, account.Client{Address: "2001:db8:1:2::1"}, "m1@x.test", password))
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
		require.Equal(t, time.Second, w.try(t, account.Client{Address: browser.Address, UserAgent: "Curl/1"}, who.Email, password), name)
		change.UserAgent = browser.UserAgent
		w.passwords.asked = nil
		_, _, err = w.Update(t.Context(), who.Principal, who.MemberID, change)
		require.Equal(t, fault.NewTooManyRequests(time.Second), err, "a known device hears the same")
		require.NotEmpty(t, w.passwords.asked, "but is looked at")
	}
}

func TestAGuessOfThePresentPasswordIsJudgedAgainWhenItHasBeenLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld()
	who := w.Register(t, 1)
	guess := func() {
		for range 6 {
			w.try(t, account.Client{Address: browser.Address, UserAgent: "Curl/1"}, who.Email, wrong)
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

func TestSignUpsHearOfFewTakenEmails(t *testing.T) {
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
		require.Equal(t, fault.NewTooManyRequests(time.Second), attempt(attacker, "free@x.test", key), "or 429 would say that it is taken")
	}
	neighbour := account.Client{Address: "198.51.100.2", UserAgent: attacker.UserAgent}
	require.NoError(t, attempt(neighbour, "free@x.test", ""), "somebody else in that network")
	require.Equal(t, account.ErrEmailTaken, attempt(neighbour, "m1@x.test", ""))
	require.Zero(t, w.try(t, account.Client{Address: "192.0.2.9", UserAgent: "New/1"}, "m1@x.test", password),
		"the email's member waits for nothing")
	require.Zero(t, w.try(t, attacker, "free@x.test", password), "logins do not wait for it")
	w.Advance(time.Second)
	require.Equal(t, account.ErrEmailTaken, attempt(attacker, "m1@x.test", ""))
	require.Equal(t, fault.NewTooManyRequests(2*time.Second), attempt(attacker, "m1@x.test", ""))
}

func TestSignUpsAtTheSameMomentHearOfFewTakenEmailsToo(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Register(t, 1)
	w.passwords.meanwhile = func() {
		for range 51 {
			_, _, _ = w.SignUp(t.Context(), attacker, account.NewMember{Email: "m1@x.test", Password: password}, "")
		}
	}
	_, _, err := w.SignUp(t.Context(), attacker, account.NewMember{Email: "free@x.test", Password: password}, "")
	require.Equal(t, fault.NewTooManyRequests(time.Second), err)
}
