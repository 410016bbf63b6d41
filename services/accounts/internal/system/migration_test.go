package system

import (
	"io/fs"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

func TestSessionsThatEndedBeforeTheMigrationStayEndedAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	pair, schema := testservers.NewSchema(t)
	config := mysqlxtest.ConfigOf(pair, schema)
	config.User, config.Password = schema.Migrate.User, schema.Migrate.Password
	const name = "00001_members_and_sessions.sql"
	first, err := fs.ReadFile(schemas.Accounts(), name)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	require.NoError(t, mysqlx.Migrate(t.Context(), config, fstest.MapFS{name: &fstest.MapFile{Data: first}}, log))
	db, err := pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	soon, ago := time.Now().UTC().Add(time.Hour).Truncate(time.Microsecond), time.Now().UTC().Add(-time.Hour)
	for _, session := range [][]any{{1, soon, nil}, {1, soon, ago}, {2, ago, ago}, {2, soon, ago}, {3, ago, nil}} {
		_, err := db.ExecContext(t.Context(),
			"INSERT INTO sessions (member_id, created_at, expires_at, revoked_at) VALUES (?, '2026-01-01', ?, ?)", session...)
		require.NoError(t, err)
	}

	require.NoError(t, mysqlx.Migrate(t.Context(), config, schemas.Accounts(), log))
	s := open(t, pair, schema)
	s.Clock = accounttest.NewClock(time.Now().UTC().Truncate(time.Microsecond))
	var ended []uint64
	for i, revocation := range s.everything(t) {
		require.Equal(t, uint64(i+1), revocation.Sequence)
		require.Equal(t, soon, revocation.Until)
		ended = append(ended, revocation.SessionID)
	}
	require.Equal(t, []uint64{2, 4}, ended)
	// A process of the version before still inserts sessions.
	s.exec(t, "INSERT INTO sessions (member_id, created_at, expires_at) VALUES (9, ?, ?)", ago, soon)
	session, err := s.store.Session(t.Context(), 6)
	require.NoError(t, err)
	require.True(t, session.Live(s.Now()))
	require.Zero(t, session.LastSeenAt)
}
