package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// mariadbReplication is the engine of MariaDB pairs.
type mariadbReplication struct {
	dialect
	dir string // of the pair
}

func newMariaDBReplication(dir string) mariadbReplication {
	return mariadbReplication{dir: dir, dialect: dialect{
		engine:          MariaDB,
		beginRootWrites: "DO 0", // read_only does not concern root
		readOnly:        []string{"SET GLOBAL read_only = ON"},
		writable:        []string{"SET GLOBAL read_only = OFF"},
		executed:        "SELECT @@GLOBAL.gtid_binlog_pos",
		await:           "SELECT MASTER_GTID_WAIT(?, ?)",
		semiSyncTimeout: "rpl_semi_sync_master_timeout",
		semiSyncClients: "Rpl_semi_sync_master_clients",
		semiSyncStatus:  "Rpl_semi_sync_master_status",
	}}
}

func (mariadbReplication) source(pair *Pair) (address, change string) {
	// MASTER_DEMOTE_TO_SLAVE lets a server that was a primary go on after the last of its own transactions.
	return pair.Primary.Addr(), fmt.Sprintf("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%d, MASTER_USER='%s', "+
		"MASTER_PASSWORD=%s, MASTER_USE_GTID=slave_pos, MASTER_DEMOTE_TO_SLAVE=1, MASTER_CONNECT_RETRY=1",
		pair.Primary.Port(), replicator, quote(pair.replicatorPassword))
}

func (m mariadbReplication) record(primary *Server) error { return recordPrimary(m.dir, primary.name) }

// revive starts the server with the option that MariaDB has for an old primary (MDEV-21117, MDEV-33465): the server rolls back what it
// had prepared and not committed when it crashed, and cuts that off its log. That is impossible for DDL and for what was
// committed without a replica; then the server refuses to start, and is started without the option. A replica is always
// started without it: what a replica had prepared came from its primary, which may have lost it.
func (mariadbReplication) revive(ctx context.Context, pair *Pair) error {
	server := pair.Replica
	process := server.instance.(*mariadbProcess)
	wasReplica, err := hasSource(process.dir)
	if err != nil {
		return err
	}
	if wasReplica {
		return server.start(ctx)
	}
	process.arguments = []string{"--init-rpl-role=SLAVE"}
	err = server.start(ctx)
	process.arguments = nil
	if err == nil || process.Process == nil || process.Alive() {
		return err
	}
	pair.say("%s cannot take back what nobody acknowledged, and starts with it: %v", server, err)
	return server.start(ctx)
}

// compare looks at what the binary logs have ever held. Both servers log what they apply, without gaps, so the highest number of each
// origin is enough.
func (mariadbReplication) compare(ctx context.Context, replica, primary *sql.DB) (errant, missing bool, err error) {
	has, err := queryGTIDs(ctx, replica, "SELECT @@GLOBAL.gtid_binlog_state")
	if err != nil {
		return false, false, err
	}
	known, err := queryGTIDs(ctx, primary, "SELECT @@GLOBAL.gtid_binlog_state")
	if err != nil {
		return false, false, err
	}
	if has.exceed(known) {
		return true, false, nil
	}
	oldest, err := queryRow(ctx, primary, "SHOW BINARY LOGS")
	if err != nil {
		return false, false, err
	}
	const start = 4 // of a log, in bytes
	gone, err := queryGTIDs(ctx, primary, "SELECT BINLOG_GTID_POS(?, ?)", oldest["Log_name"], start)
	if err != nil {
		return false, false, err
	}
	applied, err := queryGTIDs(ctx, replica, "SELECT @@GLOBAL.gtid_current_pos")
	if err != nil {
		return false, false, err
	}
	// The numbers of a domain rise, whichever server gives them, so the highest of each domain is enough.
	return false, gone.byDomain().exceed(applied.byDomain()), nil
}

// received looks at the threads that send the log, since gtid_binlog_pos names transactions that still wait for space on the disk.
func (mariadbReplication) received(ctx context.Context, replica, primary *sql.DB) (all bool, err error) {
	now, err := ReadReplicaStatus(ctx, replica)
	if err != nil || !now.receiving {
		return false, err
	}
	threads, err := Sessions(ctx, primary)
	for _, thread := range threads {
		if thread["Command"] != "Binlog Dump" || thread["User"] != replicator {
			continue
		}
		if all = strings.HasPrefix(thread["State"], "Master has sent all binlog to slave"); !all {
			break
		}
	}
	return all, err
}

// refill starts the replica's log anew, from the position of the copy and with what the primary's log knows of other servers.
func (mariadbReplication) refill(ctx context.Context, pair *Pair, schemas []string) error {
	var state gtids
	err := pair.Primary.asRoot(func(db *sql.DB) (err error) {
		state, err = queryGTIDs(ctx, db, "SELECT @@GLOBAL.gtid_binlog_state")
		return err
	})
	if err != nil {
		return err
	}
	position, err := pair.copyData(ctx, schemas)
	if err != nil {
		return err
	}
	reached, err := parseGTIDs(position)
	if err != nil || len(reached) == 0 {
		return errors.Join(errors.New("the dump holds no position"), err)
	}
	var all []string
	for origin, number := range state {
		if _, newer := reached[origin]; !newer {
			all = append(all, fmt.Sprintf("%s-%d", origin, number))
		}
	}
	all = append(all, position) // last, because the newest of a domain must be
	return pair.Replica.exec(ctx, "RESET MASTER",
		"SET GLOBAL gtid_binlog_state = "+quote(strings.Join(all, ",")), "SET GLOBAL gtid_slave_pos = "+quote(position))
}
