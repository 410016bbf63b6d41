package account_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/audit"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
)

var newcomer = account.NewMember{
	Email: "Casey@x.test", Name: "Casey", Nickname: "casey", Phone: "0212345", Gender: "M", Password: newPassword,
}

func TestASignUpMakesAMemberAndItsFirstSession(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	ctx := consistency.Into(t.Context(), 0)
	login, replayed, err := w.SignUp(ctx, browser, newcomer, "")
	require.NoError(t, err)
	require.False(t, replayed)
	caller := accounttest.RegisteredBy(t, login)
	want := account.Member{
		ID: caller.MemberID, Email: "Casey@x.test", Name: "Casey", Nickname: "casey", Phone: "0212345", Gender: "M",
		PasswordHash: "hash of " + newPassword, Active: true, CreatedAt: noon, Version: 1,
	}
	require.Equal(t, account.View{Member: want}, login.View)
	w.requireOpened(t, login)
	require.Equal(t, []uint64{caller.MemberID}, consistency.Writes(ctx).MemberIDs, "it was nobody when the request came")
	require.Empty(t, w.orders.asked, "a new member has no order")
}

func TestASignUpWithATakenEmailGivesNoToken(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	taken := newcomer
	taken.Email = "SUNGI@X.test"
	for _, key := range []string{"", "key"} {
		login, replayed, err := w.SignUp(t.Context(), browser, taken, key)
		require.Equal(t, account.ErrEmailTaken, err)
		require.Empty(t, login)
		require.False(t, replayed)
		require.Empty(t, w.passwords.asked, "a password was hashed for nothing")
	}
}

func TestASignUpWithItsKeyAgainIsAnsweredAgainWithoutHashing(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	first, replayed, err := w.SignUp(t.Context(), browser, newcomer, "key")
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, []string{"hash"}, w.passwords.asked)
	ctx := consistency.Into(t.Context(), 0)
	again, replayed, err := w.SignUp(ctx, elsewhere, newcomer, "key")
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first, again)
	require.Equal(t, []string{"hash"}, w.passwords.asked)
	require.Equal(t, 1, w.store.CountSessions())
	require.Equal(t, []uint64{first.View.Member.ID}, consistency.Writes(ctx).MemberIDs)
}

var elsewhere = account.Client{Address: "198.51.100.9", UserAgent: "Browser/1"}

func TestASignUpThatIsBeingDoneIsNotBegunAgain(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	w.store.beforeWrite = func() {
		_, _, err := w.SignUp(t.Context(), browser, newcomer, "key")
		requireCode(t, fault.Conflict, err)
		require.Equal(t, []string{"hash"}, w.passwords.asked, "its password was hashed once more")
	}
	_, replayed, err := w.SignUp(t.Context(), browser, newcomer, "key")
	require.NoError(t, err)
	require.False(t, replayed)
	_, replayed, err = w.SignUp(t.Context(), browser, newcomer, "key")
	require.NoError(t, err)
	require.True(t, replayed)
}

func TestASignUpThatIsOvertakenByItsTwinElsewhereIsAnsweredLikeIt(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	other := account.NewService(w.deps)
	var first account.Login
	w.store.beforeWrite = func() {
		var err error
		first, _, err = other.SignUp(t.Context(), browser, newcomer, "key")
		require.NoError(t, err)
	}
	second, replayed, err := w.SignUp(t.Context(), browser, newcomer, "key")
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first.Grant, second.Grant)
	require.Equal(t, 1, w.store.CountSessions())
}

func TestAKeyBelongsToEverythingThatASignUpSays(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*account.NewMember){
		"email":    func(m *account.NewMember) { m.Email = "casey@x.test" },
		"name":     func(m *account.NewMember) { m.Name = "Casex" },
		"nickname": func(m *account.NewMember) { m.Nickname = "casex" },
		"phone":    func(m *account.NewMember) { m.Phone = "0212346" },
		"gender":   func(m *account.NewMember) { m.Gender = "" },
		"password": func(m *account.NewMember) { m.Password = password },
	} {
		w := populated(account.DirectoryMasked)
		_, _, err := w.SignUp(t.Context(), browser, newcomer, "key")
		require.NoError(t, err, name)
		other := newcomer
		change(&other)
		login, replayed, err := w.SignUp(t.Context(), browser, other, "key")
		requireCode(t, fault.KeyReused, err)
		require.Empty(t, login, name)
		require.False(t, replayed, name)
		require.Equal(t, 1, w.store.CountSessions(), name)
	}
}

func TestAPasswordInAnotherNormalFormIsTheSameRequest(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	composed, decomposed := newcomer, newcomer
	composed.Password, decomposed.Password = "P\u00e1ssword'1", "Pa\u0301ssword'1"
	_, _, err := w.SignUp(t.Context(), browser, composed, "key")
	require.NoError(t, err)
	_, replayed, err := w.SignUp(t.Context(), browser, decomposed, "key")
	require.NoError(t, err)
	require.True(t, replayed)
}

// Whoever knows a key and all but the password could otherwise try passwords here as fast as it likes.
func TestSignUpsWithAKeyOfAnotherRequestCountAsFailedLogins(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	_, _, err := w.SignUp(t.Context(), browser, newcomer, "key")
	require.NoError(t, err)
	guess := newcomer
	guess.Password = password
	_, _, err = w.SignUp(t.Context(), elsewhere, guess, "key")
	requireCode(t, fault.KeyReused, err)
	require.Equal(t, account.MaxSubjects, w.store.Failures(), "one for each subject")
	event := w.store.Events()[1]
	require.Equal(t, []any{audit.SignUp, audit.Failure, elsewhere.Address}, []any{event.Action, event.Outcome, event.Address})

	for range 4 {
		_, _, err = w.SignUp(t.Context(), elsewhere, guess, "key")
		requireCode(t, fault.KeyReused, err)
	}
	for name, input := range map[string]account.NewMember{"a wrong one": guess, "the right one": newcomer} {
		login, _, err := w.SignUp(t.Context(), elsewhere, input, "key")
		requireCode(t, fault.TooManyRequests, err)
		require.Empty(t, login, name)
	}
	_, replayed, err := w.SignUp(t.Context(), browser, newcomer, "key")
	require.NoError(t, err, "the device that signed up is judged by its own failures")
	require.True(t, replayed)
}

func TestNoKeptAnswerOutlivesThePasswordAndTheSessionThatItWasGivenFor(t *testing.T) {
	t.Parallel()
	over := fault.New(fault.Conflict, "This sign-up was done, and its session is over. Please log in.", nil)
	for name, happens := range map[string]func(*world, accounttest.Registered) error{
		"a new password, of the same session": func(w *world, who accounttest.Registered) error {
			_, _, err := w.Update(t.Context(), who.Principal, who.MemberID, account.Change{Password: new(password), CurrentPassword: new(newPassword)})
			return err
		},
		"a new password, of an admin": func(w *world, who accounttest.Registered) error {
			_, _, err := w.Update(t.Context(), callerAdmin, who.MemberID, account.Change{Password: new(password)})
			return err
		},
		"made an admin with another password": func(w *world, who accounttest.Registered) error {
			_, err := w.CreateAdmin(t.Context(), who.Email, password)
			return err
		},
		"logged out": func(w *world, who accounttest.Registered) error {
			_, err := w.LogOut(t.Context(), who.Principal)
			return err
		},
		"logged out everywhere": func(w *world, who accounttest.Registered) error {
			_, err := w.LogOutAll(t.Context(), who.Principal)
			return err
		},
		"ended by an admin": func(w *world, who accounttest.Registered) error {
			_, err := w.EndSession(t.Context(), callerAdmin, who.SessionID)
			return err
		},
		"deactivated": func(w *world, who accounttest.Registered) error {
			_, _, err := w.Update(t.Context(), callerAdmin, who.MemberID, account.Change{Active: new(false)})
			return err
		},
		"deleted": func(w *world, who accounttest.Registered) error {
			_, err := w.Delete(t.Context(), who.Principal, who.MemberID, nil)
			return err
		},
		"expired": func(w *world, _ accounttest.Registered) error {
			w.Advance(refreshLifetime)
			return nil
		},
	} {
		w := populated(account.DirectoryMasked)
		first, _, err := w.SignUp(t.Context(), browser, newcomer, "key")
		require.NoError(t, err, name)
		who := accounttest.RegisteredBy(t, first)
		require.NoError(t, happens(w, who), name)
		login, replayed, err := w.SignUp(t.Context(), browser, newcomer, "key")
		require.Equal(t, over, err, name)
		require.Empty(t, login, name)
		require.False(t, replayed, name)
		events := w.store.Events()
		last := events[len(events)-1]
		require.Equal(t, []any{audit.SignUp, audit.Failure, who.MemberID, browser.Address}, []any{last.Action, last.Outcome, last.Subject, last.Address}, name)
		require.Equal(t, account.MaxSubjects, w.store.Failures(), "%s: it shows a password that counts no more", name)
	}
}

func TestWhatCannotBeOpenedIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	_, _, err := w.SignUp(t.Context(), browser, newcomer, "key")
	require.NoError(t, err)
	w.deps.Vault = brokenVault{w.deps.Vault}
	login, replayed, err := account.NewService(w.deps).SignUp(t.Context(), browser, newcomer, "key")
	require.ErrorIs(t, err, errBroken)
	require.Empty(t, login)
	require.False(t, replayed)
}

// brokenVault is account.Vault that opens nothing.
type brokenVault struct{ account.Vault }

func (brokenVault) Open(account.Digest, []byte) (account.SignedUp, error) {
	return account.SignedUp{}, errBroken
}
