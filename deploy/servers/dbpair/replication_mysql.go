package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"oms.internal/servers/proc"
)

// mysqlReplication is the engine of MySQL pairs. Servers know each other by name in the containers' network.
type mysqlReplication struct{}

func (mysqlReplication) words() words {
	return words{
		beginRootWrites: "SET GLOBAL super_read_only = OFF",
		stop:            "STOP REPLICA", forget: "RESET REPLICA ALL",
		semiSyncTimeout: "rpl_semi_sync_source_timeout", semiSyncClients: "Rpl_semi_sync_source_clients",
		client: "mysql",
	}
}

func (m mysqlReplication) follow(ctx context.Context, pair *Pair) error {
	return pair.Replica.asRoot(func(db *sql.DB) error {
		now, err := m.standing(ctx, db)
		if err != nil {
			return err
		}
		var statements []string
		if now.source != pair.Primary.name+":3306" {
			statements = append(statements, "STOP REPLICA",
				fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_PORT=3306, SOURCE_USER='%s', "+
					"SOURCE_PASSWORD=%s, SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1, "+
					"SOURCE_RETRY_COUNT=86400", pair.Primary.name, replicator, quote(pair.replicatorPassword)))
		}
		if err := execAll(ctx, db, append(statements, "START REPLICA")...); err != nil {
			return fmt.Errorf("make it a replica: %w", err)
		}
		return awaitReplication(ctx, db, "SHOW REPLICA STATUS", "Replica", "Replica")
	})
}

func (mysqlReplication) revive(ctx context.Context, pair *Pair) error { return pair.Replica.start(ctx) }

func (mysqlReplication) caughtUp(ctx context.Context, pair *Pair) error {
	return caughtUp(ctx, pair, "SELECT @@GLOBAL.gtid_executed", "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)")
}

func (mysqlReplication) standing(ctx context.Context, db *sql.DB) (standing, error) {
	row, err := queryRow(ctx, db, "SHOW REPLICA STATUS")
	now := readStanding(row, "Source", "Replica")
	now.broken = now.broken && row["Last_SQL_Errno"] != applierKilled
	return now, err
}

// applierKilled is ER_MTA_INCONSISTENT_DATA: what a replica says after endApplying, until it applies again.
const applierKilled = "1756"

func (m mysqlReplication) drain(ctx context.Context, db *sql.DB) error {
	if err := execAll(ctx, db, "STOP REPLICA IO_THREAD", "START REPLICA SQL_THREAD"); err != nil {
		return err
	}
	row, err := queryRow(ctx, db, "SHOW REPLICA STATUS")
	if err != nil {
		return err
	}
	if err := awaitPosition(ctx, db, row["Retrieved_Gtid_Set"], "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)"); err != nil {
		return err
	}
	return m.endApplying(ctx, db)
}

// endApplying ends the thread that hands out what was received. STOP REPLICA would leave it a minute for the rest of a
// transaction of which the primary sent only a part before it ended (SLAVE_WAIT_GROUP_DONE in MySQL's sql/rpl_replica.cc).
// The part is rolled back.
func (m mysqlReplication) endApplying(ctx context.Context, db *sql.DB) error {
	var thread uint64
	err := db.QueryRowContext(ctx,
		"SELECT processlist_id FROM performance_schema.threads WHERE name = 'thread/sql/replica_sql'").Scan(&thread)
	if errors.Is(err, sql.ErrNoRows) { // it has ended, or the server shows no threads
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf("KILL %d", thread)); err != nil {
		return err
	}
	return proc.Poll(ctx, func() error {
		now, err := m.standing(ctx, db)
		if err == nil && now.applying {
			err = errors.New("its applier has not ended")
		}
		return err
	})
}

func (mysqlReplication) strays(ctx context.Context, replica, primary *sql.DB) (stray bool, err error) {
	var executed string
	if err := replica.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_executed").Scan(&executed); err != nil {
		return false, err
	}
	err = primary.QueryRowContext(ctx, "SELECT NOT GTID_SUBSET(?, @@GLOBAL.gtid_executed)", executed).Scan(&stray)
	return stray, err
}

func (mysqlReplication) leftBehind(ctx context.Context, replica, primary *sql.DB) (left bool, err error) {
	var executed string
	if err := replica.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_executed").Scan(&executed); err != nil {
		return false, err
	}
	err = primary.QueryRowContext(ctx, "SELECT NOT GTID_SUBSET(@@GLOBAL.gtid_purged, ?)", executed).Scan(&left)
	return left, err
}

func (mysqlReplication) setReadOnly(ctx context.Context, server *Server, readOnly bool) error {
	if readOnly {
		return server.execToEnd(ctx, limitLockWait, "SET PERSIST read_only = ON", "SET PERSIST super_read_only = ON")
	}
	return server.exec(ctx, "SET PERSIST super_read_only = OFF", "SET PERSIST read_only = OFF")
}

func (mysqlReplication) record(*Server) error { return nil }

func (mysqlReplication) empty(ctx context.Context, db *sql.DB) error {
	return execAll(ctx, db, "RESET BINARY LOGS AND GTIDS")
}

func (mysqlReplication) refill(ctx context.Context, pair *Pair, schemas []string) error {
	_, err := pair.copyData(ctx, schemas)
	return err
}
