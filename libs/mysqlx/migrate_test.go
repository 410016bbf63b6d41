package mysqlx_test

import (
	"context"
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
