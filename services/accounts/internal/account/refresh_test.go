package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/audit"
)

func (w *world) refresh(t *testing.T, text string) (account.Grant, []account.Revocation) {
	t.Helper()
	grant, revocations, err := w.Refresh(t.Context(), browser, text)
	if err != nil {
		require.Equal(t, invalidToken, err)
		require.Empty(t, grant)
	}
	return grant, revocations
}

func TestARefreshTokenIsUsedOnceAndRenewsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld()
	grant := w.Register(t, 1).Grant
	for range 3 {
		w.Advance(time.Hour)
		next, _ := w.refresh(t, grant.RefreshToken)
		require.NotEqual(t, grant.RefreshToken, next.RefreshToken)
		require.NotEqual(t, grant.Token, next.Token)
		require.Equal(t, w.Now().Add(lifetime), next.Expiry)
		require.Equal(t, w.Now().Add(refreshLifetime), next.RefreshExpiry)
		grant = next
	}
	require.Equal(t, 1, w.store.CountSessions())
	require.Empty(t, w.Everything(t))
}

// reuseCases say what a used token gives, by when it is shown and whether its successor was used.
var reuseCases = map[string]struct {
	after    time.Duration
	followed bool
	same     bool // as the first time
	ends     bool // the session
}{
	"at once":                           {0, false, true, false},
	"after minutes":                     {12 * time.Minute, false, true, false},
	"at the end of the window":          {accounttest.RefreshRepeatWindow, false, true, false},
	"after the window":                  {accounttest.RefreshRepeatWindow + time.Microsecond, false, false, false},
	"at once, the successor was used":   {0, true, false, true},
	"long after the successor was used": {500 * time.Hour, true, false, true},
}

func TestAUsedRefreshTokenEndsItsSessionOnceItsSuccessorWasUsed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	i := 0
	for name, test := range reuseCases {
		i++
		who := w.Register(t, i)
		first, _ := w.refresh(t, who.RefreshToken)
		newest := first
		if test.followed {
			newest, _ = w.refresh(t, first.RefreshToken)
		}
		w.Advance(test.after)
		before := len(w.Everything(t))
		again, revocations, err := w.Refresh(t.Context(), attacker, who.RefreshToken) // from any network
		require.Equal(t, test.same, err == nil, name)
		if test.same {
			require.Equal(t, first.RefreshToken, again.RefreshToken, name)
			require.Equal(t, first.RefreshExpiry, again.RefreshExpiry, name)
			require.Equal(t, w.Now().Add(lifetime), again.Expiry, "%s: a token that is of use", name)
		}
		if !test.ends {
			require.Empty(t, revocations, name)
			require.Len(t, w.Everything(t), before, name)
			next, _ := w.refresh(t, newest.RefreshToken)
			require.NotEmpty(t, next, "%s: the session goes on", name)
			continue
		}
		require.Equal(t, invalidToken, err, name)
		require.Len(t, revocations, 1, name)
		require.Equal(t, who.SessionID, revocations[0].SessionID, name)
		require.Equal(t, w.Now().Add(lifetime+account.RevocationMargin), revocations[0].Until, name)
		require.Contains(t, w.Published(), revocations[0], name)
		events := w.store.Events()
		last := events[len(events)-1]
		require.Equal(t, []any{audit.RefreshReuse, audit.Failure, who.MemberID, uint64(0), attacker.Address},
			[]any{last.Action, last.Outcome, last.Subject, last.Actor, last.Address}, name)
		for _, token := range []string{newest.RefreshToken, who.RefreshToken} {
			grant, more := w.refresh(t, token)
			require.Empty(t, grant, name)
			require.Empty(t, more, "%s: the session ended twice", name)
		}
	}
}

// kinds counts the events of each action about refresh tokens.
func (w *world) kinds() map[audit.Action]int {
	kinds := map[audit.Action]int{}
	for _, event := range w.store.Events() {
		if event.Action == audit.RefreshRepeat || event.Action == audit.RefreshReuse {
			kinds[event.Action]++
		}
	}
	return kinds
}

func TestAnAnswerThatAnotherClientGetsAgainIsWrittenDownOnceForEachToken(t *testing.T) {
	t.Parallel()
	sameNetwork := account.Client{Address: browser.Address, UserAgent: "another"}
	neighbour := account.Client{Address: "203.0.113.250", UserAgent: browser.UserAgent} // in the network of the browser
	for name, test := range map[string]struct {
		clients []account.Client
		want    map[audit.Action]int
	}{
		"the same client":          {[]account.Client{browser, browser, neighbour}, map[audit.Action]int{}},
		"another network":          {[]account.Client{attacker}, map[audit.Action]int{audit.RefreshRepeat: 1}},
		"another user agent":       {[]account.Client{sameNetwork}, map[audit.Action]int{audit.RefreshRepeat: 1}},
		"many, again and again":    {[]account.Client{browser, attacker, browser, sameNetwork, attacker}, map[audit.Action]int{audit.RefreshRepeat: 1}},
		"another one, then itself": {[]account.Client{attacker, browser}, map[audit.Action]int{audit.RefreshRepeat: 1}},
	} {
		w := newWorld()
		who := w.Register(t, 1)
		w.refresh(t, who.RefreshToken)
		for _, client := range test.clients {
			_, _, err := w.Refresh(t.Context(), client, who.RefreshToken)
			require.NoError(t, err, name)
		}
		require.Equal(t, test.want, w.kinds(), name)
		for _, event := range w.store.Events() {
			if event.Action == audit.RefreshRepeat {
				require.Equal(t, []any{audit.Success, who.MemberID, uint64(0), audit.AboutSession(who.SessionID)},
					[]any{event.Outcome, event.Subject, event.Actor, event.Detail}, name)
			}
		}
	}
}

func TestAThiefInStepWithItsVictimEndsTheSessionWithTheFirstTokenWhoseSuccessorWasUsed(t *testing.T) {
	t.Parallel()
	for name, inTurn := range map[string][]account.Client{
		"the owner goes on first": {browser, attacker}, "the thief goes on first": {attacker, browser},
	} {
		w := newWorld()
		who := w.Register(t, 1)
		token := who.RefreshToken
		for range 5 { // both show each token, and get the same successor as long as nobody used that
			var successors []string
			for _, client := range inTurn {
				grant, revocations, err := w.Refresh(t.Context(), client, token)
				require.NoError(t, err, name)
				require.Empty(t, revocations, name)
				successors = append(successors, grant.RefreshToken)
			}
			require.Equal(t, successors[0], successors[1], name)
			token = successors[0]
		}
		require.Equal(t, map[audit.Action]int{audit.RefreshRepeat: 5}, w.kinds(), "%s: each step left an event", name)
		next, _, err := w.Refresh(t.Context(), inTurn[0], token)
		require.NoError(t, err, name)
		_, _, err = w.Refresh(t.Context(), inTurn[0], next.RefreshToken)
		require.NoError(t, err, name)
		_, revocations, err := w.Refresh(t.Context(), inTurn[1], token)
		require.Equal(t, invalidToken, err, name)
		require.Len(t, revocations, 1, name)
		require.Equal(t, who.SessionID, revocations[0].SessionID, name)
		for _, client := range inTurn {
			_, _, err := w.Refresh(t.Context(), client, next.RefreshToken)
			require.Equal(t, invalidToken, err, name)
		}
		require.Equal(t, map[audit.Action]int{audit.RefreshRepeat: 5, audit.RefreshReuse: 1}, w.kinds(), name)
	}
}

func TestTheWindowForLostAnswersDoesNotExtendItself(t *testing.T) {
	t.Parallel()
	w := newWorld()
	who := w.Register(t, 1)
	first, _ := w.refresh(t, who.RefreshToken)
	for range 2 {
		w.Advance(accounttest.RefreshRepeatWindow / 2)
		again, _ := w.refresh(t, who.RefreshToken)
		require.Equal(t, first.RefreshToken, again.RefreshToken)
	}
	w.Advance(time.Microsecond)
	again, _ := w.refresh(t, who.RefreshToken)
	require.Empty(t, again)
}

// changePassword gives the member who has it the other one of the two passwords, in its own session.
func (w *world) changePassword(t *testing.T, who accounttest.Registered, from, to string) {
	t.Helper()
	_, _, err := w.Update(t.Context(), who.Principal, who.MemberID, account.Change{Password: new(to), CurrentPassword: new(from)})
	require.NoError(t, err)
}

func TestNoRefreshTokenGivesItsSuccessorAgainAfterANewPasswordThoughItsSessionGoesOn(t *testing.T) {
	t.Parallel()
	// Each returns the token that is shown again, and the one with which the session goes on.
	for name, use := range map[string]func(*testing.T, *world, accounttest.Registered) (shown, newest string){
		"used before": func(t *testing.T, w *world, who accounttest.Registered) (shown, newest string) {
			next, _ := w.refresh(t, who.RefreshToken)
			w.changePassword(t, who, password, newPassword)
			return who.RefreshToken, next.RefreshToken
		},
		"issued before, used after": func(t *testing.T, w *world, who accounttest.Registered) (shown, newest string) {
			w.changePassword(t, who, password, newPassword)
			next, _ := w.refresh(t, who.RefreshToken)
			return who.RefreshToken, next.RefreshToken
		},
		"issued in the second step, used before": func(t *testing.T, w *world, who accounttest.Registered) (shown, newest string) {
			first, _ := w.refresh(t, who.RefreshToken)
			second, _ := w.refresh(t, first.RefreshToken)
			w.changePassword(t, who, password, newPassword)
			return first.RefreshToken, second.RefreshToken
		},
		"issued by the version before, used by this one": func(t *testing.T, w *world, who accounttest.Registered) (shown, newest string) {
			w.store.ForgetPasswordsOfRefreshTokens()
			next, _ := w.refresh(t, who.RefreshToken)
			w.changePassword(t, who, password, newPassword)
			return who.RefreshToken, next.RefreshToken
		},
		"of a login": func(t *testing.T, w *world, who accounttest.Registered) (shown, newest string) {
			who = w.Again(t, who)
			next, _ := w.refresh(t, who.RefreshToken)
			w.changePassword(t, who, password, newPassword)
			return who.RefreshToken, next.RefreshToken
		},
	} {
		w := newWorld()
		shown, newest := use(t, w, w.Register(t, 1))
		before := len(w.store.Events())
		for _, client := range []account.Client{browser, attacker} {
			grant, revocations, err := w.Refresh(t.Context(), client, shown)
			require.Equal(t, invalidToken, err, name)
			require.Empty(t, grant, name)
			require.Empty(t, revocations, name)
		}
		events := w.written(t, before)
		require.Len(t, events, 2, "%s: of each client", name)
		for _, event := range events {
			require.Equal(t, []any{audit.Refresh, audit.Failure}, []any{event.Action, event.Outcome}, name)
		}
		next, _ := w.refresh(t, newest)
		require.NotEmpty(t, next, "%s: the session goes on", name)
		_, revocations, err := w.Refresh(t.Context(), attacker, shown)
		require.Equal(t, invalidToken, err, name)
		require.Len(t, revocations, 1, "%s: its successor was used, so two have a copy", name)
	}
}

func TestARefreshTokenThatWasIssuedUnderThePresentPasswordGivesItsSuccessorAgain(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, *world, accounttest.Registered) string{
		"after a new password": func(t *testing.T, w *world, who accounttest.Registered) string {
			w.changePassword(t, who, password, newPassword)
			next, _ := w.refresh(t, who.RefreshToken)
			return next.RefreshToken
		},
		"after another change of the member": func(t *testing.T, w *world, who accounttest.Registered) string {
			_, _, err := w.Update(t.Context(), who.Principal, who.MemberID, account.Change{Email: new("new@x.test"), CurrentPassword: new(password)})
			require.NoError(t, err)
			return who.RefreshToken
		},
		"after the present password was repeated": func(t *testing.T, w *world, who accounttest.Registered) string {
			w.changePassword(t, who, password, password)
			return who.RefreshToken
		},
		"where the version before issued it": func(_ *testing.T, w *world, who accounttest.Registered) string {
			w.store.ForgetPasswordsOfRefreshTokens()
			return who.RefreshToken
		},
	} {
		w := newWorld()
		token := prepare(t, w, w.Register(t, 1))
		first, _ := w.refresh(t, token)
		again, _ := w.refresh(t, token)
		require.NotEmpty(t, first.RefreshToken, name)
		require.Equal(t, first.RefreshToken, again.RefreshToken, name)
	}
}

func TestWhatIsNoRefreshTokenOfALiveSessionGivesNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*testing.T, *world, accounttest.Registered) string{
		"unknown":      func(*testing.T, *world, accounttest.Registered) string { return strings.Repeat("A", 43) },
		"malformed":    func(*testing.T, *world, accounttest.Registered) string { return "not base64 !" },
		"too short":    func(*testing.T, *world, accounttest.Registered) string { return "AAAA" },
		"padded":       func(_ *testing.T, _ *world, who accounttest.Registered) string { return who.RefreshToken + "=" },
		"access token": func(_ *testing.T, _ *world, who accounttest.Registered) string { return who.Token },
		"expired": func(_ *testing.T, w *world, who accounttest.Registered) string {
			w.Advance(refreshLifetime)
			return who.RefreshToken
		},
		"used and expired": func(t *testing.T, w *world, who accounttest.Registered) string {
			w.refresh(t, who.RefreshToken)
			w.Advance(refreshLifetime)
			return who.RefreshToken
		},
		"logged out": func(t *testing.T, w *world, who accounttest.Registered) string {
			_, err := w.LogOut(t.Context(), who.Principal)
			require.NoError(t, err)
			return who.RefreshToken
		},
		"deactivated": func(_ *testing.T, w *world, who accounttest.Registered) string {
			w.store.Alter(who.MemberID, deactivate)
			return who.RefreshToken
		},
		"deleted": func(t *testing.T, w *world, who accounttest.Registered) string {
			_, err := w.Delete(t.Context(), who.Principal, who.MemberID, nil)
			require.NoError(t, err)
			return who.RefreshToken
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			who := w.Register(t, 1)
			shown := spoil(t, w, who)
			before := len(w.Published())
			grant, revocations := w.refresh(t, shown)
			require.Empty(t, grant)
			require.Empty(t, revocations)
			require.Len(t, w.Published(), before)
		})
	}
}
