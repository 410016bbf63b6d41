package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// mariadbReplication is the engine of MariaDB pairs.
type mariadbReplication struct {
	dir string // of the pair
}

func (mariadbReplication) words() words {
	return words{
		beginRootWrites: "DO 0", // read_only does not concern root
		stop:            "STOP SLAVE", forget: "RESET SLAVE ALL",
		semiSyncTimeout: "rpl_semi_sync_master_timeout", semiSyncClients: "Rpl_semi_sync_master_clients",
		client: "mariadb",
	}
}

func (m mariadbReplication) follow(ctx context.Context, pair *Pair) error {
	return pair.Replica.asRoot(func(db *sql.DB) error {
		status, err := queryRow(ctx, db, "SHOW SLAVE STATUS")
		if err != nil {
			return err
		}
		if status["Master_Port"] != fmt.Sprint(pair.Primary.Port()) || status["Using_Gtid"] != "Slave_Pos" {
			// A server that was a primary goes on after the last of its own transactions.
			change := fmt.Sprintf("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%d, MASTER_USER='%s', "+
				"MASTER_PASSWORD=%s, MASTER_USE_GTID=slave_pos, MASTER_DEMOTE_TO_SLAVE=1, MASTER_CONNECT_RETRY=1",
				pair.Primary.Port(), replicator, quote(pair.replicatorPassword))
			if err := execAll(ctx, db, "STOP SLAVE", change); err != nil {
				return fmt.Errorf("point the replica at the primary: %w", err)
			}
		}
		if err := execAll(ctx, db, "START SLAVE"); err != nil {
			return fmt.Errorf("start replication: %w", err)
		}
		return awaitReplication(ctx, db, "SHOW SLAVE STATUS", "Slave", "Slave")
	})
}

// revive has the server roll back, and cut off its log, what it had prepared and not committed when it crashed, as MariaDB
// provides for an old primary (MDEV-21117, MDEV-33465). That cannot be done to DDL, or to what was committed without a replica;
// a server that refuses to start for it starts as it is. What a replica had prepared came from its primary, which may have lost
// it: nothing of that is taken back.
func (mariadbReplication) revive(ctx context.Context, pair *Pair) error {
	server := pair.Replica
	body := server.body.(*mariadbBody)
	wasReplica, err := body.hasSource()
	if err != nil {
		return err
	}
	if wasReplica {
		return server.start(ctx)
	}
	body.arguments = []string{"--init-rpl-role=SLAVE"}
	err = server.start(ctx)
	body.arguments = nil
	if err == nil || body.process == nil || body.process.Alive() {
		return err
	}
	pair.say("%s cannot take back what nobody acknowledged, and starts with it: %v", server.title(), err)
	return server.start(ctx)
}

func (mariadbReplication) caughtUp(ctx context.Context, pair *Pair) error {
	return caughtUp(ctx, pair, "SELECT @@GLOBAL.gtid_binlog_pos", "SELECT MASTER_GTID_WAIT(?, ?)")
}

func (mariadbReplication) standing(ctx context.Context, db *sql.DB) (standing, error) {
	row, err := queryRow(ctx, db, "SHOW SLAVE STATUS")
	return readStanding(row, "Master", "Slave"), err
}

func (mariadbReplication) drain(ctx context.Context, db *sql.DB) error {
	if err := execAll(ctx, db, "STOP SLAVE IO_THREAD", "START SLAVE SQL_THREAD"); err != nil {
		return err
	}
	row, err := queryRow(ctx, db, "SHOW SLAVE STATUS")
	if err != nil {
		return err
	}
	// "I" for the position of what was received; none since the server's start means that it is that of what is applied.
	if row["Gtid_IO_Pos"] != "" {
		if err := awaitPosition(ctx, db, row["Gtid_IO_Pos"], "SELECT MASTER_GTID_WAIT(?, ?)"); err != nil {
			return errors.Join(err, errorOf(row["Last_SQL_Error"]))
		}
	}
	return nil
}

func errorOf(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// strays compares what the binary logs have ever held, server by server. Both log what they apply, without gaps, so the
// highest number of each server says it all.
func (mariadbReplication) strays(ctx context.Context, replica, primary *sql.DB) (bool, error) {
	var states [2]map[string]uint64
	for i, db := range []*sql.DB{replica, primary} {
		var text string
		if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_state").Scan(&text); err != nil {
			return false, err
		}
		var err error
		if states[i], err = binlogState(text); err != nil {
			return false, err
		}
	}
	for origin, number := range states[0] {
		if number > states[1][origin] {
			return true, nil
		}
	}
	return false, nil
}

// leftBehind looks at what came before the oldest log that the primary has. A domain's numbers rise, whichever server gives
// them, so the highest says it all.
func (mariadbReplication) leftBehind(ctx context.Context, replica, primary *sql.DB) (bool, error) {
	oldest, err := queryRow(ctx, primary, "SHOW BINARY LOGS")
	if err != nil {
		return false, err
	}
	const itsBeginning = 4
	var before, applied sql.NullString
	err = primary.QueryRowContext(ctx, "SELECT BINLOG_GTID_POS(?, ?)", oldest["Log_name"], itsBeginning).Scan(&before)
	if err != nil {
		return false, err
	}
	if err := replica.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_current_pos").Scan(&applied); err != nil {
		return false, err
	}
	gone, goneErr := highestByDomain(before.String)
	has, hasErr := highestByDomain(applied.String)
	if err := errors.Join(goneErr, hasErr); err != nil {
		return false, err
	}
	for domain, number := range gone {
		if number > has[domain] {
			return true, nil
		}
	}
	return false, nil
}

func highestByDomain(state string) (map[string]uint64, error) {
	byServer, err := binlogState(state)
	highest := map[string]uint64{}
	for origin, number := range byServer {
		domain, _, _ := strings.Cut(origin, "-")
		highest[domain] = max(highest[domain], number)
	}
	return highest, err
}

// binlogState reads "0-1-100,0-2-105": the highest number by domain and server.
func binlogState(text string) (map[string]uint64, error) {
	state := map[string]uint64{}
	for gtid := range strings.SplitSeq(text, ",") {
		gtid = strings.TrimSpace(gtid)
		if gtid == "" {
			continue
		}
		end := strings.LastIndexByte(gtid, '-')
		number, err := strconv.ParseUint(gtid[end+1:], 10, 64)
		if err != nil || end < 0 {
			return nil, fmt.Errorf("%q is not a GTID", gtid)
		}
		state[gtid[:end]] = number
	}
	return state, nil
}

func (mariadbReplication) setReadOnly(ctx context.Context, server *Server, readOnly bool) error {
	if readOnly {
		return server.execToEnd(ctx, limitLockWait, "SET GLOBAL read_only = ON")
	}
	return server.exec(ctx, "SET GLOBAL read_only = OFF")
}

func (m mariadbReplication) record(primary *Server) error { return recordPrimary(m.dir, primary.name) }

func (mariadbReplication) empty(context.Context, *sql.DB) error { return nil }

func (m mariadbReplication) refill(ctx context.Context, pair *Pair, schemas []string) error {
	var before string
	err := pair.Primary.asRoot(func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_state").Scan(&before)
	})
	if err != nil {
		return err
	}
	position, err := pair.copyData(ctx, schemas)
	if err != nil {
		return err
	}
	// The log begins anew, but knows what its transactions come after.
	state, err := binlogState(before)
	if err != nil {
		return err
	}
	reached, err := binlogState(position)
	if err != nil || len(reached) == 0 {
		return errors.Join(errors.New("the dump says no position"), err)
	}
	for origin := range reached {
		delete(state, origin)
	}
	var gtids []string
	for origin, number := range state {
		gtids = append(gtids, fmt.Sprintf("%s-%d", origin, number))
	}
	// The newest of a domain comes last.
	gtids = append(gtids, position)
	return pair.Replica.exec(ctx, "RESET MASTER",
		"SET GLOBAL gtid_binlog_state = "+quote(strings.Join(gtids, ",")), "SET GLOBAL gtid_slave_pos = "+quote(position))
}
