package main

import (
	"bytes"
	"database/sql"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) { testservers.Main(m) }

func TestBothServersAreKeptWithinTheLimitsAndAServerThatIsAwayIsSaidOnce(t *testing.T) {
	t.Parallel()
	pair := testservers.NewPair(t)
	primary, err := dbpair.OpenRootAt(pair.Primary.Addr(), pair.RootPassword)
	require.NoError(t, err)
	replica, err := dbpair.OpenRootAt(pair.Replica.Addr(), pair.RootPassword)
	require.NoError(t, err)
	var said bytes.Buffer
	k := keeper{
		servers: [2]*sql.DB{primary, replica}, hosts: []string{"primary", "replica"}, size: 1 << 20, age: 2 * time.Hour,
		log: slog.New(slog.NewTextHandler(&said, nil)),
	}
	k.look(t.Context())
	require.NotContains(t, said.String(), "WARN")
	for _, server := range k.servers {
		var seconds, size int
		require.NoError(t, server.QueryRowContext(t.Context(), "SELECT @@GLOBAL.binlog_expire_logs_seconds, @@GLOBAL.max_binlog_size").
			Scan(&seconds, &size))
		require.Equal(t, 7200, seconds)
		require.Equal(t, 1<<16, size)
	}
	_, err = primary.ExecContext(t.Context(), "CREATE DATABASE shop")
	require.NoError(t, err)
	_, err = primary.ExecContext(t.Context(), "CREATE TABLE shop.things (text LONGTEXT)")
	require.NoError(t, err)
	total := func(server *sql.DB) (sum int) {
		rows, err := server.QueryContext(t.Context(), "SHOW BINARY LOGS")
		require.NoError(t, err)
		defer rows.Close() //nolint:errcheck // rows.Err reports errors
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			var name, encrypted string
			var size int
			require.NoError(t, rows.Scan([]any{&name, &size, &encrypted}[:len(columns)]...))
			sum += size
		}
		require.NoError(t, rows.Err())
		return sum
	}
	for range 40 {
		_, err := primary.ExecContext(t.Context(), "INSERT INTO shop.things VALUES (REPEAT('x', 100000))")
		require.NoError(t, err)
	}
	require.NoError(t, pair.Sync(t.Context()))
	require.Greater(t, total(primary), 4_000_000)
	k.look(t.Context())
	require.Less(t, total(primary), 1<<20)
	require.Less(t, total(replica), 1<<20)

	require.NoError(t, pair.Replica.Kill())
	for range 20 {
		_, err := primary.ExecContext(t.Context(), "INSERT INTO shop.things VALUES (REPEAT('x', 100000))")
		require.NoError(t, err)
	}
	k.look(t.Context())
	k.look(t.Context())
	require.Greater(t, total(primary), 1<<20)
	require.Equal(t, 2, strings.Count(said.String(), "level=WARN")) // the primary's logs stay, and the replica's are not seen
	require.NoError(t, pair.Replica.Restart(t.Context()))
	require.NoError(t, pair.Sync(t.Context()))
	k.look(t.Context())
	require.Less(t, total(primary), 1<<20)
}

func TestLimitsThatWouldHurtAreRefused(t *testing.T) {
	t.Parallel()
	_, err := config.Load[Config]([]string{"MYSQL_HOSTS=one:1", "MYSQL_ROOT_PASSWORD_FILE=main.go", "BINLOG_MAX_SIZE_MB=1", "BINLOG_MAX_AGE=1m"})
	require.ErrorContains(t, err, "MYSQL_HOSTS")
	require.ErrorContains(t, err, "BINLOG_MAX_SIZE_MB")
	require.ErrorContains(t, err, "BINLOG_MAX_AGE")
}
