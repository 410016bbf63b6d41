package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/command"
	"oms.internal/libs/drf/drftest"
)

// migrated returns surroundings with the tables of the service.
func migrated(t *testing.T) *surroundings {
	t.Helper()
	s := newSurroundings(t)
	require.NoError(t, program().Command(t.Context(), []string{"migrate"}, s.environ(t), io.Discard))
	return s
}

func TestAnImportThatIsKilledTenTimesAndRunAgainEqualsOneRunRowForRow(t *testing.T) {
	t.Parallel()
	whole, killed := migrated(t), migrated(t)
	source := drftest.New(t, whole.Pair)
	source.LetTokensLive(t)
	const times = 10
	source.Multiply(t, times)
	output, err := source.Import(t, whole.environ(t)).CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Contains(t, string(output), "members: 10010 new, 0 changed, 0 gone, 0 not taken\nsessions: 1015 new, 0 changed, 0 gone, 0 not taken\n")
	source.ImportKilled(t, killed.environ(t), killed.db, times*drftest.Members)

	root, err := whole.Pair.Primary.Open("root", whole.Pair.RootPassword, "")
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	drftest.RequireEqual(t, root, whole.Schema.Name, killed.Schema.Name, "SELECT * FROM {}.members", "SELECT * FROM {}.member_grams",
		"SELECT * FROM {}.drf_imports",
		// The ids of sessions are given here.
		`SELECT digest, knox_tokens.expires_at, member_id, created_at, sessions.expires_at AS ends, token_expires_at, revoked_at, user_agent
		FROM {}.knox_tokens JOIN {}.sessions ON sessions.id = session_id`,
		"SELECT COUNT(*) FROM {}.sessions", "SELECT SUM(JSON_VALUE(content, '$.data.count')) FROM {}.outbox")
	require.Zero(t, killed.number(t, "SELECT COUNT(*) FROM member_moves"))
}

func TestAnImportedMemberLogsInWithItsPasswordOfDRFOMSAndThenHasAHashOfOurs(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	source := drftest.New(t, p.Pair)
	importing := []string{"import-drf", "--source", source.DSN}
	require.NoError(t, program().Command(t.Context(), importing, p.environ(t), io.Discard))
	hash := func() (hash string) {
		require.NoError(t, p.db.QueryRowContext(t.Context(), "SELECT password_hash FROM members WHERE id = 52").Scan(&hash))
		return hash
	}
	require.True(t, strings.HasPrefix(hash(), "pbkdf2_sha256$"))
	require.Equal(t, http.StatusBadRequest, p.logIn(t, "move50@example.test", "Wrong#Pass2026").status)
	login := p.logIn(t, "move50@example.test", drftest.Password) // its email has capitals
	require.Equal(t, http.StatusOK, login.status, login.body)
	require.Equal(t, uint64(52), principal(t, login).MemberID)
	require.True(t, strings.HasPrefix(hash(), "$argon2id$"))
	require.Equal(t, http.StatusOK, p.logIn(t, "move50@example.test", drftest.Password).status)

	// Ids below are left to drf-oms, which may go on beside this system.
	require.Equal(t, uint64(drftest.Members+idsLeft+1), p.signUp(t, "new@x.test").MemberID)
	source.Exec(t, `INSERT INTO accounts_user (password, email, name, nickname, phone, created_at, is_active, is_admin)
		SELECT password, 'later@example.test', name, nickname, phone, created_at, 1, 0 FROM accounts_user WHERE id = 1`)
	var out strings.Builder
	require.NoError(t, program().Command(t.Context(), importing, p.environ(t), &out))
	require.Contains(t, out.String(), "members: 1 new, 0 changed, 0 gone, 0 not taken\n")
}

func TestAnImportThatIsAskedForWronglyOrHasNoSourceSaysSoInOneLine(t *testing.T) {
	t.Parallel()
	s := migrated(t)
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"":                                   {command.Misused, "one of --source and --source-file is needed"},
		"--source a --source-file b":         {command.Misused, "one of --source and --source-file is needed"},
		"--source mydb":                      {command.Failed, "it has the form user:password@tcp(host:3306)/database"},
		"--source u:p@tcp(127.0.0.1:1)/":     {command.Failed, "the source names no database"},
		"--source u:p@tcp(127.0.0.1:1)/mydb": {command.Failed, "connection refused"},
		"--source " + s.Schema.App.User + ":" + s.Schema.App.Password + "@tcp(" + s.Pair.Primary.Addr() + ")/" + s.Schema.Name: {
			command.Failed, "the source is no database of drf-oms",
		},
	} {
		err := program().Command(t.Context(), append([]string{"import-drf"}, strings.Fields(line)...), s.environ(t), io.Discard)
		require.ErrorContains(t, err, want.text, line)
		require.NotContains(t, err.Error(), "\n", line)
		require.Equal(t, want.code, command.Code(err), line)
	}
}
