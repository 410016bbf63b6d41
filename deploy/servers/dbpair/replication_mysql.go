package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"oms.internal/servers/proc"
)

// mysqlReplication is the engine of MySQL pairs. The servers know each other by name in the containers' network.
type mysqlReplication struct{ dialect }

func newMySQLReplication() mysqlReplication {
	return mysqlReplication{dialect{
		engine:          MySQL,
		beginRootWrites: "SET GLOBAL super_read_only = OFF",
		readOnly:        []string{"SET PERSIST read_only = ON", "SET PERSIST super_read_only = ON"},
		writable:        []string{"SET PERSIST super_read_only = OFF", "SET PERSIST read_only = OFF"},
		executed:        "SELECT @@GLOBAL.gtid_executed",
		await:           "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)",
		semiSyncTimeout: "rpl_semi_sync_source_timeout",
		semiSyncClients: "Rpl_semi_sync_source_clients",
		semiSyncStatus:  "Rpl_semi_sync_source_status",
	}}
}

func (mysqlReplication) source(pair *Pair) (address, change string) {
	return pair.Primary.name + ":3306", fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_PORT=3306, SOURCE_USER='%s', "+
		"SOURCE_PASSWORD=%s, SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400",
		pair.Primary.name, replicator, quote(pair.replicatorPassword))
}

func (m mysqlReplication) drain(ctx context.Context, db *sql.DB) error {
	if err := m.dialect.drain(ctx, db); err != nil {
		return err
	}
	return m.endApplying(ctx, db)
}

// endApplying kills the thread that hands out what was received. The primary may have ended after it had sent a part of a transaction;
// STOP REPLICA would wait a minute for the rest (SLAVE_WAIT_GROUP_DONE in MySQL's sql/rpl_replica.cc). The part is rolled back.
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
		now, err := ReadReplicaStatus(ctx, db)
		if err == nil && now.applying {
			err = errors.New("its applying thread has not ended")
		}
		return err
	})
}

// compare first gives the primary a moment for what it is about to commit: the replica has executed that already.
func (m mysqlReplication) compare(ctx context.Context, replica, primary *sql.DB) (errant, missing bool, err error) {
	executed, err := queryText(ctx, replica, m.executed)
	if err != nil {
		return false, false, err
	}
	const patience = 2 // seconds
	if _, err := primary.ExecContext(ctx, m.await, executed, patience); err != nil {
		return false, false, err
	}
	err = primary.QueryRowContext(ctx, "SELECT NOT GTID_SUBSET(?, @@GLOBAL.gtid_executed), NOT GTID_SUBSET(@@GLOBAL.gtid_purged, ?)",
		executed, executed).Scan(&errant, &missing)
	return errant, missing, err
}

// received compares GTIDs: that of a transaction is among the executed ones once it is committed.
func (mysqlReplication) received(ctx context.Context, replica, primary *sql.DB) (all bool, err error) {
	committed, err := queryText(ctx, primary, "SELECT @@GLOBAL.gtid_executed")
	if err != nil {
		return false, err
	}
	now, err := ReadReplicaStatus(ctx, replica)
	if err != nil {
		return false, err
	}
	err = replica.QueryRowContext(ctx, "SELECT GTID_SUBSET(?, CONCAT(@@GLOBAL.gtid_executed, ',', ?))", committed, now.received).Scan(&all)
	return all, err
}

// refill empties the replica's log first, because a server only takes the position of a dump if it has none of its own.
func (mysqlReplication) refill(ctx context.Context, pair *Pair, schemas []string) error {
	if err := pair.Replica.exec(ctx, "RESET BINARY LOGS AND GTIDS"); err != nil {
		return err
	}
	_, err := pair.copyData(ctx, schemas)
	return err
}
