package main

import (
	"bytes"
	"context"
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
	var out bytes.Buffer
	err := createAdmin(t.Context(), s.cfg, discard, args, piped(t, input), &out)
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
		printed, err := p.makeAdmin(t, another+"\n", "--email", email)
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
		"no email":       {secret, nil, "not a valid email"},
		"bad email":      {secret, []string{"--email", "x"}, "not a valid email"},
		"unknown flag":   {secret, []string{"--mail", "a@x.test"}, "-mail"},
		"no password":    {"", []string{"--email", "a@x.test"}, "the password needs"},
		"empty password": {"\n" + secret, []string{"--email", "a@x.test"}, "the password needs"},
		"weak password":  {"abcdefghijk", []string{"--email", "a@x.test"}, "the password needs"},
		"short password": {"aA1!", []string{"--email", "a@x.test"}, "the password needs"},
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
	err := createAdmin(ctx, s.cfg, discard, []string{"--email", "a@x.test"}, piped(t, secret), &bytes.Buffer{})
	require.ErrorContains(t, err, "no primary")
}
