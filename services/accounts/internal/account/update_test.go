package account_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
)

var (
	demanded = fault.InvalidField("current_password", "This field is required.")
	unproven = fault.NewInvalid(map[string][]string{
		"current_password": {"This field is required."}, "email": {"A new email needs the current password."},
	})
	refused = fault.InvalidField("current_password", "The password is not correct.")
)

const newPassword = "Another'pwd1"

// credentialCases say what it takes to change the email and the password of A.
var credentialCases = map[string]struct {
	caller   authn.Principal
	change   account.Change
	err      error
	email    string // "" for the present one
	password string // "" for the present one
}{
	"nickname alone needs no password": {caller: callerA, change: account.Change{Nickname: new("other")}},

	"new email without password":            {caller: callerA, change: account.Change{Email: new("new@x.test")}, err: unproven},
	"new email with a wrong password":       {caller: callerA, change: account.Change{Email: new("new@x.test"), CurrentPassword: new("Wrong'pwd00")}, err: refused},
	"new email with the password":           {caller: callerA, change: account.Change{Email: new("new@x.test"), CurrentPassword: new(password)}, email: "new@x.test"},
	"the case of the email is new":          {caller: callerA, change: account.Change{Email: new("sungi@x.test")}, err: unproven},
	"the present email":                     {caller: callerA, change: account.Change{Email: new("Sungi@x.test")}},
	"an email that another has":             {caller: callerA, change: account.Change{Email: new("DREAM@x.test"), CurrentPassword: new(password)}, err: account.ErrEmailTaken},
	"new password without password":         {caller: callerA, change: account.Change{Password: new(newPassword)}, err: demanded},
	"new password with a wrong password":    {caller: callerA, change: account.Change{Password: new(newPassword), CurrentPassword: new(newPassword)}, err: refused},
	"new password with the password":        {caller: callerA, change: account.Change{Password: new(newPassword), CurrentPassword: new(password)}, password: newPassword},
	"the present password":                  {caller: callerA, change: account.Change{Password: new(password)}},
	"PUT with both present":                 {caller: callerA, change: put("Sungi@x.test", password, nil)},
	"PUT with both present and a wrong one": {caller: callerA, change: put("Sungi@x.test", password, new("Wrong'pwd00"))},
	"PUT with a new email":                  {caller: callerA, change: put("new@x.test", password, nil), err: unproven},
	"PUT with a new password":               {caller: callerA, change: put("Sungi@x.test", newPassword, nil), err: demanded},
	"PUT with both new and the password":    {caller: callerA, change: put("new@x.test", newPassword, new(password)), email: "new@x.test", password: newPassword},

	"an admin changes another's email":      {caller: callerAdmin, change: account.Change{Email: new("new@x.test")}, email: "new@x.test"},
	"an admin changes another's password":   {caller: callerAdmin, change: account.Change{Password: new(newPassword)}, password: newPassword},
	"an admin puts both":                    {caller: callerAdmin, change: put("new@x.test", newPassword, nil), email: "new@x.test", password: newPassword},
	"an admin's current password is unread": {caller: callerAdmin, change: account.Change{Email: new("new@x.test"), CurrentPassword: new("Wrong'pwd00")}, email: "new@x.test"},
}

func put(email, password string, current *string) account.Change {
	return account.Change{
		Email: &email, Name: new("김선기"), Nickname: new("sungi"), Phone: new("0219999"), Password: &password, CurrentPassword: current,
	}
}

func TestChangingOnesCredentialsNeedsThePresentPassword(t *testing.T) {
	t.Parallel()
	for name, test := range credentialCases {
		w := populated(account.DirectoryMasked)
		before := w.member(idA)
		want := before
		view, _, err := w.Update(t.Context(), test.caller, idA, test.change)
		if test.err != nil {
			require.Equal(t, test.err, err, name)
			require.Equal(t, want, w.member(idA), "%s: something was written", name)
			continue
		}
		require.NoError(t, err, name)
		if test.email != "" {
			want.Email = test.email
		}
		if test.password != "" {
			want.PasswordHash = "hash of " + test.password
		} else {
			require.NotContains(t, w.passwords.asked, "hash", "%s: the present password was hashed again", name)
		}
		for field, value := range map[*string]*string{&want.Nickname: test.change.Nickname, &want.Phone: test.change.Phone} {
			if value != nil {
				*field = *value
			}
		}
		if want != before {
			want.Version++
		}
		require.Equal(t, want, w.member(idA), name)
		require.Equal(t, want, view.Member, name)
	}
}

func TestAnAdminProvesItsOwnPasswordForItsOwnCredentials(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	_, _, err := w.Update(t.Context(), callerAdmin, idAdmin, account.Change{Email: new("new@x.test")})
	require.Equal(t, unproven, err)
}

func TestOnlyTheMemberAndAdminsChangeOrDeleteIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		directory account.Directory
		caller    authn.Principal
		id        uint64
		want      fault.Code // "" for allowed
	}{
		{account.DirectoryMasked, callerA, idA, ""},
		{account.DirectoryMasked, callerAdmin, idA, ""},
		{account.DirectoryMasked, callerB, idA, fault.Forbidden},
		{account.DirectoryOpen, callerB, idA, fault.Forbidden},
		{account.DirectoryAdmin, callerB, idA, fault.NotFound},
		{account.DirectoryMasked, callerB, 12345, fault.NotFound},
		{account.DirectoryOpen, callerB, 12345, fault.NotFound},
		{account.DirectoryMasked, callerAdmin, 12345, fault.NotFound},
	} {
		w := populated(test.directory)
		_, _, err := w.Update(t.Context(), test.caller, test.id, account.Change{Nickname: new("hijack")})
		requireCode(t, test.want, err)
		require.Equal(t, test.want == "", w.member(test.id).Nickname == "hijack", "%+v", test)

		before := w.member(test.id)
		_, err = w.Delete(t.Context(), test.caller, test.id, nil)
		requireCode(t, test.want, err)
		require.Equal(t, test.want == "", w.member(test.id) != before, "%+v", test)
	}
}

func requireCode(t *testing.T, want fault.Code, err error) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.True(t, fault.Is(err, want), "want %s, got %v", want, err)
}

func TestAChangeLeavesWhatItDoesNotNameAndAnEmptyGenderIsUnknown(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	want := w.member(idA)
	want.Gender, want.Version = "", 2
	view, _, err := w.Update(t.Context(), callerA, idA, account.Change{Gender: new("")})
	require.NoError(t, err)
	require.Equal(t, account.View{Member: want, LastOrder: &orderOfA}, view)
	require.Equal(t, want, w.member(idA))
}

func TestCredentialsThatChangeAfterTheirCheckAreNotOverwritten(t *testing.T) {
	t.Parallel()
	w := populated(account.DirectoryMasked)
	w.store.beforeWrite = func() {
		w.store.Alter(idA, func(member *account.Member) { member.PasswordHash = "hash of somebody else's" })
	}
	_, _, err := w.Update(t.Context(), callerA, idA, account.Change{Password: new(newPassword), CurrentPassword: new(password)})
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.Equal(t, "hash of somebody else's", w.member(idA).PasswordHash)
}

func TestAWriteConcernsWhomItIsAbout(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(context.Context, *world) error{
		"update": func(ctx context.Context, w *world) error {
			_, _, err := w.Update(ctx, callerAdmin, idA, account.Change{Nickname: new("other")})
			return err
		},
		"delete": func(ctx context.Context, w *world) error {
			_, err := w.Delete(ctx, callerAdmin, idA, nil)
			return err
		},
	} {
		ctx := consistency.Into(t.Context(), 0)
		require.NoError(t, write(ctx, populated(account.DirectoryMasked)), name)
		require.Equal(t, []uint64{idA}, consistency.Writes(ctx).MemberIDs, name)
	}
}

// only allows one version.
type only uint64

func (o only) Allows(version uint64) bool { return version == uint64(o) }

func TestAChangeOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	for version, want := range map[only]fault.Code{1: "", 2: fault.PreconditionFailed} {
		for name, write := range map[string]func(*world) error{
			"update": func(w *world) error {
				_, _, err := w.Update(t.Context(), callerA, idA, account.Change{Nickname: new("other"), IfMatch: version})
				return err
			},
			"delete": func(w *world) error {
				_, err := w.Delete(t.Context(), callerA, idA, version)
				return err
			},
		} {
			w := populated(account.DirectoryMasked)
			before := w.member(idA)
			requireCode(t, want, write(w))
			require.Equal(t, want == "", w.member(idA) != before, name)
		}
	}
}
