package account_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
	"oms.internal/libs/fault"
)

// lookedUp are the emails that were looked up of a store.
type lookedUp struct {
	*watched
	emails []string
}

func (l *lookedUp) MemberByEmail(ctx context.Context, email string) (account.Member, error) {
	l.emails = append(l.emails, email)
	return l.watched.MemberByEmail(ctx, email)
}

// changer is a service of the world that notes which emails are looked up, and how member A changes its own.
func changer(w *world) (*lookedUp, func(account.Change) error) {
	store := &lookedUp{watched: w.store}
	w.deps.Store = store
	service := account.NewService(w.deps)
	caller := callerA
	caller.Address = attacker.Address
	return store, func(change account.Change) error {
		change.UserAgent = attacker.UserAgent
		_, _, err := service.Update(context.Background(), caller, idA, change)
		return err
	}
}

const taken, free = "dream@x.test", "free@x.test"

func TestATakenEmailAndAFreeOneAreTheSameToWhoProvesNoPassword(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(email string) account.Change
		want   error
	}{
		"without the password":    {func(email string) account.Change { return account.Change{Email: &email} }, unproven},
		"with a wrong one":        {func(email string) account.Change { return account.Change{Email: &email, CurrentPassword: new(wrong)} }, refused},
		"PUT":                     {func(email string) account.Change { return put(email, password, nil) }, unproven},
		"PUT with a wrong one":    {func(email string) account.Change { return put(email, password, new(wrong)) }, refused},
		"PUT with a new password": {func(email string) account.Change { return put(email, newPassword, nil) }, unproven},
		"for another version": {func(email string) account.Change {
			return account.Change{Email: &email, CurrentPassword: new(password), IfMatch: only(9)}
		}, fault.New(fault.PreconditionFailed, "The member is not in the version that the request asks for.", nil)},
	} {
		for _, email := range []string{taken, free} {
			w := populated(account.DirectoryMasked)
			store, change := changer(w)
			require.Equal(t, test.want, change(test.change(email)), "%s: %s", name, email)
			require.Empty(t, store.emails, name)
		}
	}
}

func TestGuessesOfThePasswordForANewEmailCountAndAreWrittenDown(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	_, change := changer(w)
	for range 5 {
		require.Equal(t, refused, change(account.Change{Email: new(taken), CurrentPassword: new(wrong)}))
	}
	require.Len(t, w.store.Events(), 5)
	event := w.store.Events()[4]
	require.Equal(t, []any{audit.PasswordCheck, audit.Failure, uint64(idA), attacker.Address},
		[]any{event.Action, event.Outcome, event.Subject, event.Address})
	for _, email := range []string{taken, free} {
		for _, current := range []string{wrong, password} {
			require.Equal(t, fault.NewTooManyRequests(time.Second), change(account.Change{Email: &email, CurrentPassword: &current}))
		}
	}
	require.Equal(t, time.Second, w.try(t, attacker, "sungi@x.test", password), "a login waits as well")
}

func TestAMemberThatProvesItsPasswordHearsOfFewTakenEmails(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	store, change := changer(w)
	proven := func(email string) account.Change {
		return account.Change{Email: &email, CurrentPassword: new(password)}
	}
	for range 5 {
		require.Equal(t, account.ErrEmailTaken, change(proven(taken)))
	}
	event := w.store.Events()[4]
	require.Equal(t, []any{audit.MemberUpdate, audit.Failure, uint64(idA), uint64(idA), "email taken"},
		[]any{event.Action, event.Outcome, event.Actor, event.Subject, event.Detail})
	store.emails = nil
	for _, email := range []string{taken, free} {
		require.Equal(t, fault.NewTooManyRequests(time.Second), change(proven(email)), email)
	}
	require.Empty(t, store.emails)
	w.Advance(time.Second)
	require.NoError(t, change(proven(free)))
	require.Zero(t, w.try(t, browser, taken, password), "the email's member waits for nothing")
}
