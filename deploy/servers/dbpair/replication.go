package dbpair

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oms.internal/servers/proc"
)

// Statements that both engines understand.
const (
	stopReplica  = "STOP REPLICA"
	forgetSource = "RESET REPLICA ALL"
)

// engine is replication as MariaDB or MySQL does it.
type engine interface {
	words() dialect
	// source returns the primary's address as a replica's status shows it, and the statement that makes a replica follow it.
	source(pair *Pair) (address, change string)
	// caughtUp waits until the replica has everything that the primary has now.
	caughtUp(ctx context.Context, pair *Pair) error
	// drain ends the receiving of a replica and waits until it has applied everything that it received.
	drain(ctx context.Context, db *sql.DB) error
	// compare reports whether the replica holds transactions that the primary lacks (errant), and whether it lacks transactions that
	// the primary's log no longer holds (missing).
	compare(ctx context.Context, replica, primary *sql.DB) (errant, missing bool, err error)
	// received reports whether the replica has received everything that the primary has committed. It asks nothing that a full disk of the
	// primary keeps waiting.
	received(ctx context.Context, replica, primary *sql.DB) (bool, error)
	// setReadOnly changes what a server is now and, if the server remembers that itself, what it is after a restart.
	setReadOnly(ctx context.Context, server *Server, readOnly bool) error
	// record remembers which server starts as the primary, if the servers do not remember that themselves.
	record(primary *Server) error
	// revive starts the replica, which may have crashed as a primary. If the engine can, the server then takes back the transactions
	// that it logged and nobody acknowledged.
	revive(ctx context.Context, pair *Pair) error
	// refill copies the primary's schemas to a replica that has none, so that the replica can follow from the position of the copy.
	refill(ctx context.Context, pair *Pair, schemas []string) error
}

// dialect is what both engines do in the same way with other words. Both embed it.
type dialect struct {
	engine          Engine
	beginRootWrites string   // statement that lets root write to a server that is read-only
	readOnly        []string // statements that make a server read-only
	writable        []string // statements that make it writable
	executed        string   // query for the position of what a server has executed
	await           string   // query that waits for a position for a number of seconds; its result is 0 when it is reached
	semiSyncTimeout string   // variable, in milliseconds
	semiSyncClients string   // status variable: how many replicas acknowledge
	semiSyncStatus  string   // status variable: whether a commit waits for a replica, ON or OFF
}

func (d dialect) words() dialect { return d }

func (d dialect) caughtUp(ctx context.Context, pair *Pair) error {
	var position string
	err := pair.Primary.asRoot(func(db *sql.DB) (err error) {
		position, err = queryText(ctx, db, d.executed)
		return err
	})
	if err != nil {
		return err
	}
	return pair.Replica.asRoot(func(db *sql.DB) error { return d.awaitPosition(ctx, db, position) })
}

func (d dialect) drain(ctx context.Context, db *sql.DB) error {
	if err := execAll(ctx, db, "STOP REPLICA IO_THREAD", "START REPLICA SQL_THREAD"); err != nil {
		return err
	}
	now, err := ReadReplicaStatus(ctx, db)
	// No position means that nothing was received since the server's start, so that there is nothing to wait for.
	if err != nil || now.received == "" {
		return err
	}
	if err := d.awaitPosition(ctx, db, now.received); err != nil {
		return fmt.Errorf("%w %s", err, now.Problem)
	}
	return nil
}

func (d dialect) awaitPosition(ctx context.Context, db *sql.DB, position string) error {
	return proc.Poll(ctx, func() error {
		var result sql.NullInt64
		// The query waits for one second at a time, because the server does not notice that its client has stopped waiting.
		if err := db.QueryRowContext(ctx, d.await, position, 1).Scan(&result); err != nil {
			return err
		}
		if !result.Valid || result.Int64 != 0 {
			return fmt.Errorf("it has not reached %s", position)
		}
		return nil
	})
}

func (d dialect) setReadOnly(ctx context.Context, server *Server, readOnly bool) error {
	if readOnly {
		return server.execToEnd(ctx, append([]string{limitLockWait}, d.readOnly...)...)
	}
	return server.exec(ctx, d.writable...)
}

func (dialect) record(*Server) error { return nil }

func (dialect) revive(ctx context.Context, pair *Pair) error { return pair.Replica.start(ctx) }

// ReplicaStatus is what a server says about its replicating. The zero value is a server that follows nobody.
type ReplicaStatus struct {
	Configured bool   // it follows a server
	Problem    string // the error that it stopped with or tries again after; empty if there is none
	Lag        string // whole seconds that it is behind; empty if it does not know

	receiving     bool
	applying      bool
	receiveFailed bool   // it has stopped receiving, and does not try again, because of an error that is not the connection's
	applyFailed   bool   // it has stopped applying because of an error
	source        string // host:port of the primary, as the server sees it
	received      string // position of what it has received
}

// Running reports whether the server receives and applies what its primary writes.
func (s ReplicaStatus) Running() bool { return s.receiving && s.applying }

// applierKilled is MySQL's ER_MTA_INCONSISTENT_DATA. A replica shows it after endApplying, until it applies again.
const applierKilled = "1756"

// ReadReplicaStatus asks a server about its replicating. MariaDB has kept the old names of the columns.
func ReadReplicaStatus(ctx context.Context, db *sql.DB) (ReplicaStatus, error) {
	row, err := queryRow(ctx, db, "SHOW REPLICA STATUS")
	if err != nil || len(row) == 0 {
		return ReplicaStatus{}, err
	}
	receiving := cmp.Or(row["Replica_IO_Running"], row["Slave_IO_Running"])
	receiveError, applyError := row["Last_IO_Errno"], row["Last_SQL_Errno"]
	return ReplicaStatus{
		Configured: true, receiving: receiving == "Yes", applying: cmp.Or(row["Replica_SQL_Running"], row["Slave_SQL_Running"]) == "Yes",
		receiveFailed: receiving == "No" && isError(receiveError) && !isConnectionError(receiveError),
		applyFailed:   isError(applyError) && applyError != applierKilled,
		Lag:           cmp.Or(row["Seconds_Behind_Source"], row["Seconds_Behind_Master"]),
		Problem:       cmp.Or(row["Last_SQL_Error"], row["Last_IO_Error"]),
		source:        cmp.Or(row["Source_Host"], row["Master_Host"]) + ":" + cmp.Or(row["Source_Port"], row["Master_Port"]),
		received:      cmp.Or(row["Retrieved_Gtid_Set"], row["Gtid_IO_Pos"]),
	}, nil
}

// replicationState says in words what a server does as a replica, for an error about it.
func (s *Server) replicationState(ctx context.Context) (state string) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := s.asRoot(func(db *sql.DB) error {
		now, err := ReadReplicaStatus(ctx, db)
		state = fmt.Sprintf("receiving %t, applying %t, received %q, problem %q", now.receiving, now.applying, now.received, now.Problem)
		return err
	})
	if err != nil {
		return err.Error()
	}
	return state
}

func isError(number string) bool { return number != "" && number != "0" }

// isConnectionError recognizes the errors of a client that reaches no server. A replica shows one while its primary is down, even after
// an interrupted failover has stopped the replica.
func isConnectionError(number string) bool { return len(number) == 4 && number[0] == '2' }

// replicationPatience is how long replication may take to begin.
const replicationPatience = 30 * time.Second

// awaitReplication waits until a replica receives and applies. An error in applying is final; one in receiving is not, because
// the replica tries again for ever.
func awaitReplication(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, replicationPatience)
	defer cancel()
	var final error
	err := proc.Poll(ctx, func() error {
		now, err := ReadReplicaStatus(ctx, db)
		switch {
		case err != nil:
			return err
		case now.applyFailed:
			final = errors.New(now.Problem)
		case !now.Running():
			return fmt.Errorf("replication does not run: %s", now.Problem)
		}
		return nil
	})
	return errors.Join(final, err)
}
