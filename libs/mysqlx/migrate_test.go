package mysqlx_test

import (
	"context"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
)

func migrations(statements ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, statement := range statements {
		name := "0000" + string(rune('1'+i)) + "_step.sql"
		files[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + statement + ";\n")}
	}
	return files
}

func (s schema) migrate(t *testing.T, files fstest.MapFS, hosts ...string) error {
	t.Helper()
	config := s.config(hosts...)
	config.User, config.Password = s.Migrate.User, s.Migrate.Password
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return mysqlx.Migrate(ctx, config, files, discard)
}

func TestProcessesThatMigrateAtOnceApplyEachMigrationOnce(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	files := migrations("CREATE TABLE step (id INT NOT NULL)", "INSERT INTO step VALUES (1)", "INSERT INTO step VALUES (2)")
	results := make(chan error, 4)
	for range cap(results) {
		go func() { results <- schema.migrate(t, files) }()
	}
	for range cap(results) {
		require.NoError(t, <-results)
	}
	var count int
	require.NoError(t, schema.root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM step").Scan(&count))
	require.Equal(t, 2, count)
}

func TestAProcessThatWaitsForItsTurnNeitherMakesTheTableOfMigrationsNorFailsWhileAnotherMakesIt(t *testing.T) {
	t.Parallel()
	for _, making := range []bool{false, true} {
		schema := shared(t)
		turn, err := schema.root.Conn(t.Context())
		require.NoError(t, err)
		run := func(statement string) {
			_, err := turn.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
		}
		run("DO GET_LOCK('oms-migrate-" + schema.Name + "', 0)")
		if making { // a moment before goose's first row
			run("CREATE TABLE goose_db_version (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, version_id BIGINT NOT NULL, " +
				"is_applied BOOLEAN NOT NULL, tstamp TIMESTAMP NULL DEFAULT NOW())")
		}
		ended := make(chan error, 1)
		go func() { ended <- schema.migrate(t, migrations("CREATE TABLE step (id INT NOT NULL)")) }()
		waits := "SELECT GET_LOCK('oms-migrate-" + schema.Name + "', 60)"
		eventually(t, func() bool { return slices.Contains(statementsOn(t, schema.root), waits) })
		var tables int
		require.NoError(t, schema.root.QueryRowContext(t.Context(),
			"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = 'goose_db_version'", schema.Name).Scan(&tables))
		require.Equal(t, making, tables == 1)
		if making {
			run("INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, TRUE)")
		}
		run("DO RELEASE_LOCK('oms-migrate-" + schema.Name + "')")
		require.NoError(t, turn.Close())
		require.NoError(t, <-ended)
	}
}

func TestMigrateFindsThePrimaryWhateverTheOrderOfHosts(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	hosts := []string{"127.0.0.1:1", schema.pair.Replica.Addr(), schema.pair.Primary.Addr()}
	require.NoError(t, schema.migrate(t, migrations("CREATE TABLE step (id INT NOT NULL)"), hosts...))
	require.NoError(t, schema.migrate(t, migrations("CREATE TABLE step (id INT NOT NULL)"), hosts...), "nothing is left to do")
}

func TestAMigrationThatFailsIsReportedAndTheNextProcessMayTry(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	err := schema.migrate(t, migrations("CREATE TABLE step (id INT NOT NULL)", "INSERT INTO missing VALUES (1)"))
	require.ErrorContains(t, err, "missing")
	require.NoError(t, schema.migrate(t, migrations("CREATE TABLE step (id INT NOT NULL)", "INSERT INTO step VALUES (1)")))
}

func TestAProcessWithNothingToMigrateWaitsForNoOtherThatMigrates(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	later := migrations("CREATE TABLE step (id INT NOT NULL)", "CREATE TABLE began (id INT NOT NULL)", "DO SLEEP(600)")
	old, earlier := migrations("CREATE TABLE step (id INT NOT NULL)"), migrations("CREATE TABLE step (id INT NOT NULL)", "CREATE TABLE began (id INT NOT NULL)")
	ctx, cancel := context.WithCancel(t.Context())
	config := schema.config()
	config.User, config.Password = schema.Migrate.User, schema.Migrate.Password
	ended := make(chan error, 1)
	go func() { ended <- mysqlx.Migrate(ctx, config, later, discard) }()
	require.Eventually(t, func() bool {
		var applied int
		err := schema.root.QueryRowContext(t.Context(), "SELECT MAX(version_id) FROM goose_db_version").Scan(&applied)
		return err == nil && applied == 2
	}, time.Minute, time.Millisecond)
	require.NoError(t, schema.migrate(t, old))
	require.NoError(t, schema.migrate(t, earlier))
	select {
	case err := <-ended:
		require.Fail(t, "the later release does not migrate any more", "%v", err)
	default:
	}
	cancel()
	require.Error(t, <-ended)
}

// A request's statements end after five seconds; building an index over a large table must not.
func TestAMigrationMayTakeLongerThanARequest(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	require.NoError(t, schema.migrate(t, migrations("DO SLEEP(6)", "CREATE TABLE step (id INT NOT NULL)")))
}

func TestMigrateWaitsForAPrimaryUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	config := schema.config(schema.pair.Replica.Addr())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := mysqlx.Migrate(ctx, config, migrations("DO 1"), discard)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
