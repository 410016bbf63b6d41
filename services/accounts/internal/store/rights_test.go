package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/audit"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

// migrate migrates a schema as the service does, and returns what was logged.
func migrate(t *testing.T, pair *dbpair.Pair, schema dbpair.Schema) string {
	t.Helper()
	config := mysqlxtest.ConfigOf(pair, schema)
	config.User, config.Password = schema.Migrate.User, schema.Migrate.Password
	var logged bytes.Buffer
	require.NoError(t, mysqlx.Migrate(t.Context(), config, schemas.Accounts(), slog.New(slog.NewTextHandler(&logged, nil)),
		store.RestrictUser(schema.App.User)))
	return logged.String()
}

func TestTheServiceMayChangeEverythingButAuditEventsOfWhichOldOnesGo(t *testing.T) {
	t.Parallel()
	pair, schema := testservers.NewSchema(t) // its users have the rights that they had in the release before
	migrate(t, pair, schema)
	migrate(t, pair, schema) // again is harmless
	s := serve(on(t, mysqlxtest.Connect(t, pair, schema)))
	who := s.Register(t, 1)
	s.refuse(t, attacker, who.Email, wrong)
	_, _, err := s.Update(t.Context(), who.Principal, who.MemberID, account.Change{Password: new("Another'pwd1"), CurrentPassword: new(password)})
	require.NoError(t, err)
	_, err = s.Delete(t.Context(), who.Principal, who.MemberID, nil)
	require.NoError(t, err)
	_, err = s.DeleteLoginFailures(t.Context(), s.Now().Add(time.Hour), 10)
	require.NoError(t, err)
	for _, statement := range []string{
		"UPDATE audit_events SET actor = 1", "DELETE FROM audit_events", "TRUNCATE audit_events", "DROP TABLE audit_events",
		"DROP PROCEDURE remove_old_audit_events", "REPLACE INTO audit_events SELECT * FROM audit_events",
		"INSERT INTO audit_events SELECT * FROM audit_events AS same ON DUPLICATE KEY UPDATE actor = 1",
	} {
		_, err := s.db.ExecContext(t.Context(), statement)
		require.True(t, mysqlx.IsDenied(err), "%s: %v", statement, err)
	}

	s.exec(t, "DELETE FROM audit_events")
	present := time.Now().UTC().Truncate(time.Microsecond)
	for _, age := range []time.Duration{0, 29, 31, 400, 500} {
		require.NoError(t, s.RecordEvents(t.Context(), []audit.Event{{At: present.Add(-age * 24 * time.Hour), Action: audit.Login, Outcome: audit.Success}}))
	}
	remove := func(before time.Time, most int) int {
		removed, err := s.DeleteOldAuditEvents(t.Context(), before, most)
		require.NoError(t, err)
		return removed
	}
	require.Equal(t, 1, remove(present.Add(-365*24*time.Hour), 1))
	require.Equal(t, 1, remove(present.Add(-365*24*time.Hour), 10))
	require.Equal(t, 1, remove(present.Add(time.Hour), 10), "younger ones stay whatever is asked")
	page, err := s.Store.AuditEvents(latest(t), listing.Request{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Values, 2)
}

func TestTheServiceMayChangeAllOfManyTables(t *testing.T) {
	t.Parallel()
	pair, schema := testservers.NewSchema(t)
	root, err := pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	// Their names together are longer than what a server puts into one text by default.
	var tables []string
	for i := range 60 {
		tables = append(tables, fmt.Sprintf("table_%s_%d", strings.Repeat("n", 20), i))
		_, err := root.ExecContext(t.Context(), "CREATE TABLE "+tables[i]+" (id INT PRIMARY KEY)")
		require.NoError(t, err)
	}
	require.Greater(t, len(strings.Join(tables, ",")), 1024)
	migrate(t, pair, schema)
	db, err := pair.Primary.Open(schema.App.User, schema.App.Password, schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, table := range append(tables, "members", "sessions", "outbox") {
		for _, statement := range []string{"UPDATE " + table + " SET id = id", "DELETE FROM " + table} {
			_, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
	}
}

func TestAnInstallationWhoseMigrationsMayNotGrantGoesOnAndSaysSo(t *testing.T) {
	t.Parallel()
	pair, schema := testservers.NewSchema(t)
	root, err := pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	_, err = root.ExecContext(context.Background(), "REVOKE GRANT OPTION ON "+schema.Name+".* FROM '"+schema.Migrate.User+"'@'%'")
	require.NoError(t, err)
	require.Contains(t, migrate(t, pair, schema), "WITH GRANT OPTION")
	serve(on(t, mysqlxtest.Connect(t, pair, schema))).Register(t, 1)
}
