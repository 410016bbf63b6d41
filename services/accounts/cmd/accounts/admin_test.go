package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// piped returns a file that yields the text, as a pipe into the command does.
func piped(t *testing.T, text string) *os.File {
	t.Helper()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	_, err = writer.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	t.Cleanup(func() { require.NoError(t, reader.Close()) })
	return reader
}

// makeAdmin runs the command with a password from standard input, and returns what it printed.
func (s *surroundings) makeAdmin(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	return s.operate(t, createAdmin, input, args...)
}

// operate runs an operator's command, and returns what it printed.
func (s *surroundings) operate(t *testing.T, command func(context.Context, operator) error, input string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := command(t.Context(), operator{
		Config: s.cfg, Log: discard, Args: args, In: piped(t, input), Out: &out, Beside: io.Discard,
	})
	return out.String(), err
}

func TestThePasswordIsTheFirstLineOfStandardInput(t *testing.T) {
	t.Parallel()
	for _, ending := range []string{"", "\n", "\r\n", "\nmore\n"} {
		got, err := readPassword(piped(t, secret+ending), io.Discard)
		require.NoError(t, err)
		require.Equal(t, secret, got, "%q", ending)
	}
}

func TestAnAdminIsMadeOrPromotedAndGetsTheNewPassword(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	member := p.signUp(t, "A@x.test")
	const another = "Another'pwd1"
	for email, want := range map[string]string{
		"new@x.test": "new@x.test: created, with the admin right\n",
		"a@x.test":   "a@x.test: has the admin right and the new password; its sessions have ended\n",
	} {
		printed, err := p.makeAdmin(t, another+"\n", email)
		require.NoError(t, err)
		require.Equal(t, want, printed)
		login := p.logIn(t, email, another)
		require.Equal(t, http.StatusOK, login.status, login.body)
		caller := principal(t, login)
		require.True(t, caller.Admin)
		require.Equal(t, email == "a@x.test", caller.MemberID == member.MemberID)
		require.Equal(t, http.StatusOK, p.do(t, caller, http.MethodGet, "/audit/events", "").status)
	}
	require.Equal(t, http.StatusBadRequest, p.logIn(t, "a@x.test", secret).status)
}

func TestAnAdminNeedsAnEmailAndAGoodPassword(t *testing.T) {
	t.Parallel()
	var nowhere surroundings // what is refused never reaches a database
	for name, test := range map[string]struct {
		input string
		args  []string
		want  string
	}{
		"bad email":      {secret, []string{"x"}, "not a valid email"},
		"no password":    {"", []string{"a@x.test"}, "the password needs"},
		"empty password": {"\n" + secret, []string{"a@x.test"}, "the password needs"},
		"weak password":  {"abcdefghijk", []string{"a@x.test"}, "the password needs"},
		"short password": {"aA1!", []string{"a@x.test"}, "the password needs"},
	} {
		_, err := nowhere.makeAdmin(t, test.input, test.args...)
		require.ErrorContains(t, err, test.want, name)
		require.NotContains(t, err.Error(), secret, name)
	}
}

func TestMakingAnAdminEndsWhereThereIsNoPrimary(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	require.NoError(t, program().Command(t.Context(), []string{"migrate"}, s.environ(t), io.Discard))
	s.cfg.MySQLHosts = []string{s.Pair.Replica.Addr()}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := createAdmin(ctx, operator{
		Config: s.cfg, Log: discard, Args: []string{"a@x.test"}, In: piped(t, secret), Out: io.Discard, Beside: io.Discard,
	})
	require.ErrorContains(t, err, "no primary")
}

func TestTheAdminRightIsGivenAndTakenAndListed(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	member, other := p.signUp(t, "A@x.test"), p.signUp(t, "b@x.test")
	today := time.Now().In(p.cfg.TimeZone.Location).Format("2006-01-02")
	const header = "ID  EMAIL     ACTIVE  SINCE\n"
	set := func(admin bool, email, want string) {
		printed, err := p.operate(t, setAdmin(admin), "", email)
		require.NoError(t, err)
		require.Equal(t, want, printed)
	}
	set(true, "a@x.test", "a@x.test: has the admin right\n")
	set(true, "a@x.test", "a@x.test: nothing to change\n")
	require.Equal(t, http.StatusOK, p.do(t, member, http.MethodGet, userPath(member.MemberID), "").status, "its session goes on")
	listed, err := p.operate(t, listAdmins, "")
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%s%-4d%s  yes     %s\n", header, member.MemberID, "A@x.test", today), listed)
	require.True(t, principal(t, p.logIn(t, "a@x.test", secret)).Admin)

	set(false, "a@x.test", "a@x.test: has no admin right; its sessions have ended\n")
	set(false, "b@x.test", "b@x.test: nothing to change\n")
	require.Zero(t, p.number(t, "SELECT COUNT(*) FROM sessions WHERE member_id = ? AND revoked_at IS NULL", member.MemberID))
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM sessions WHERE member_id = ? AND revoked_at IS NULL", other.MemberID))
	listed, err = p.operate(t, listAdmins, "")
	require.NoError(t, err)
	require.Equal(t, "ID  EMAIL  ACTIVE  SINCE\n", listed)
	require.False(t, principal(t, p.logIn(t, "a@x.test", secret)).Admin)

	_, err = p.operate(t, setAdmin(true), "", "c@x.test")
	require.EqualError(t, err, "c@x.test: there is no such member")
}
