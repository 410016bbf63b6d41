package store_test

import (
	"io/fs"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

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
	insert := func(memberID int, expires time.Time, revoked any) {
		_, err := db.ExecContext(t.Context(),
			"INSERT INTO sessions (member_id, created_at, expires_at, revoked_at) VALUES (?, '2026-01-01', ?, ?)", memberID, expires, revoked)
		require.NoError(t, err)
	}
	// The migration judges by the server's clock.
	present := time.Now().UTC().Truncate(time.Microsecond)
	soon, ago := present.Add(time.Hour), present.Add(-time.Hour)
	insert(1, soon, nil)
	insert(1, soon, ago)
	insert(2, ago, ago)
	insert(2, soon, ago)
	insert(3, ago, nil)

	require.NoError(t, mysqlx.Migrate(t.Context(), config, schemas.Accounts(), log))
	f := on(t, mysqlxtest.Connect(t, pair, schema))
	revocations, _, err := f.Revocations(t.Context(), 0, present, 10)
	require.NoError(t, err)
	var ended []uint64
	for i, revocation := range revocations {
		require.Equal(t, uint64(i+1), revocation.Sequence)
		require.Equal(t, soon, revocation.Until)
		ended = append(ended, revocation.SessionID)
	}
	require.Equal(t, []uint64{2, 4}, ended)
	insert(9, soon, nil) // as a process of the version before still does
	session, err := f.Session(t.Context(), 6)
	require.NoError(t, err)
	require.True(t, session.Live(present))
	require.Zero(t, session.LastSeenAt)
}
