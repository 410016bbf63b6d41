package account_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// written lets the process end, and returns the events from then on that came no earlier.
func (w *world) written(t *testing.T, before int) []audit.Event {
	t.Helper()
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, w.WriteSeries(ended))
	return w.store.Events()[before:]
}

func TestRefusalsAreOneEventASeriesWithACount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refuse func(*world) error
		action audit.Action
		detail string
	}{
		"logins that come too early": {func(w *world) error {
			_, err := w.LogIn(t.Context(), attacker, "sungi@x.test", password)
			return err
		}, audit.Login, "too early"},
		"guesses of the present password": {func(w *world) error {
			caller := callerA
			caller.Address = attacker.Address
			_, _, err := w.Update(t.Context(), caller, idA, account.Change{Email: new("new@x.test"), CurrentPassword: new(wrong)})
			return err
		}, audit.PasswordCheck, "too early"},
		"sign-ups with taken emails": {func(w *world) error {
			_, _, err := w.SignUp(t.Context(), attacker, account.NewMember{Email: "sungi@x.test", Password: password}, "")
			return err
		}, audit.SignUp, "too early"},
		"refresh tokens that nobody has": {func(w *world) error {
			_, _, err := w.Refresh(t.Context(), attacker, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
			return err
		}, audit.Refresh, ""},
	} {
		w := populated(account.DirectoryMasked)
		for range 5 {
			w.try(t, attacker, "sungi@x.test", wrong)
		}
		for range 50 {
			_, _, _ = w.SignUp(t.Context(), attacker, account.NewMember{Email: "sungi@x.test", Password: password}, "")
		}
		before := len(w.store.Events())
		for range 100 {
			require.Error(t, test.refuse(w), name)
		}
		require.Len(t, w.store.Events(), before, "%s: a row for each", name)
		events := w.written(t, before)
		require.Len(t, events, 1, name)
		event := events[0]
		require.Equal(t, []any{test.action, audit.Failure, attacker.Address, test.detail, 100},
			[]any{event.Action, event.Outcome, event.Address, event.Detail, event.Count}, name)
	}
}

func TestWhatAMemberChangesOfItselfAgainAndAgainIsAnEventAtOnceAndOneWithACount(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	rename := func(caller authn.Principal, times int) {
		for range times {
			_, _, err := w.Update(t.Context(), caller, idA, account.Change{Nickname: new(w.member(idA).Nickname + "a")})
			require.NoError(t, err)
		}
	}
	told := func(events []audit.Event) (told [][]any) {
		for _, event := range events {
			require.Equal(t, []any{audit.MemberUpdate, audit.Success, uint64(idA)}, []any{event.Action, event.Outcome, event.Subject})
			told = append(told, []any{event.Actor, event.Detail, event.Count})
		}
		return told
	}
	rename(callerA, 1)
	require.Equal(t, [][]any{{uint64(idA), "nickname", 1}}, told(w.store.Events()), "with the change")
	rename(callerA, 99)
	_, _, err := w.Update(t.Context(), callerA, idA, account.Change{Phone: new("0219998")})
	require.NoError(t, err)
	require.Equal(t, [][]any{{uint64(idA), "phone", 1}}, told(w.store.Events()[1:]), "another series")
	require.Equal(t, [][]any{{uint64(idA), "nickname", 99}}, told(w.written(t, 2)))

	w.Advance(audit.Interval)
	before := len(w.store.Events())
	rename(callerA, 2)
	rename(callerAdmin, 2)
	each := []any{uint64(idAdmin), "nickname", 1}
	require.Equal(t, [][]any{{uint64(idA), "nickname", 1}, each, each}, told(w.store.Events()[before:]), "an admin is no flood")
}

func TestAChangeThatFailsIsNotCounted(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	for range 2 {
		_, _, err := w.Update(t.Context(), callerA, idA, account.Change{Nickname: new("b"), IfMatch: never{}})
		require.True(t, fault.Is(err, fault.PreconditionFailed), err)
		require.Empty(t, w.written(t, 0))
	}
	_, _, err := w.Update(t.Context(), callerA, idA, account.Change{Nickname: new("b")})
	require.NoError(t, err)
	require.Len(t, w.store.Events(), 1, "the first is written with the change")
}

// never is a precondition that no version meets.
type never struct{}

func (never) Allows(uint64) bool { return false }

func TestOnlyAdminsLooksAtOthersAreWrittenDown(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	for _, id := range []uint64{idA, idB, idAdmin} {
		_, err := w.Get(t.Context(), callerA, id)
		require.NoError(t, err)
		_, err = w.Get(t.Context(), callerAdmin, id)
		require.NoError(t, err)
	}
	_, err := w.Get(t.Context(), callerAdmin, 12345)
	require.True(t, fault.Is(err, fault.NotFound))
	var seen []uint64
	for _, event := range w.written(t, 0) {
		require.Equal(t, []any{audit.MemberRead, uint64(idAdmin)}, []any{event.Action, event.Actor})
		seen = append(seen, event.Subject)
	}
	require.ElementsMatch(t, []uint64{idA, idB}, seen)
}

// deaf is account.Store that stores no events, for as long as it is down.
type deaf struct {
	*watched
	down bool
}

func (d *deaf) RecordEvents(ctx context.Context, events []audit.Event) error {
	if d.down {
		return errBroken
	}
	return d.watched.RecordEvents(ctx, events)
}

func TestEventsThatCannotBeWrittenAreWrittenLater(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	store := &deaf{watched: w.store, down: true}
	w.deps.Store = store
	w.Service = account.NewService(w.deps)
	for range 3 {
		_, err := w.Get(t.Context(), callerAdmin, idA)
		require.NoError(t, err)
	}
	require.Empty(t, w.written(t, 0))
	store.down = false
	events := w.written(t, 0)
	require.Len(t, events, 1)
	require.Equal(t, 3, events[0].Count)
}
