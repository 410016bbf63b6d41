package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oms.internal/servers/proc"
)

// engine is what differs between the kinds of server in replication.
type engine interface {
	// follow makes the replica replicate from the primary, unless it already does.
	follow(ctx context.Context, pair *Pair) error
	// caughtUp waits until the replica has what the primary has now.
	caughtUp(ctx context.Context, pair *Pair) error
	// revive starts the replica, which may have crashed as a primary, and takes back what it logged then and nobody acknowledged,
	// where the engine can.
	revive(ctx context.Context, pair *Pair) error
	// standing is what a server says about its replicating; the zero value for one that is no replica.
	standing(ctx context.Context, db *sql.DB) (standing, error)
	// drain ends the input of a replica and waits until all that it received has been applied.
	drain(ctx context.Context, db *sql.DB) error
	// strays tells whether the replica holds transactions that the primary lacks.
	strays(ctx context.Context, replica, primary *sql.DB) (bool, error)
	// leftBehind tells whether the replica lacks transactions that the primary's log no longer holds.
	leftBehind(ctx context.Context, replica, primary *sql.DB) (bool, error)
	// setReadOnly changes what a server is now and, where that is the server's own matter, after a restart.
	setReadOnly(ctx context.Context, server *Server, readOnly bool) error
	// record remembers which server is to start as the primary, where that is not the server's own matter.
	record(primary *Server) error
	// words are the engine's names of things.
	words() words
	// empty prepares a replica for the dump of another server, and refill loads it.
	empty(ctx context.Context, db *sql.DB) error
	refill(ctx context.Context, pair *Pair, schemas []string) error
}

// words are statements and names that differ.
type words struct {
	beginRootWrites string // lets root write to a server that is read-only
	stop, forget    string // replication
	semiSyncTimeout string // variable, in milliseconds
	semiSyncClients string // status
	client          string // program
}

// standing is a server's replication.
type standing struct {
	configured bool
	receiving  bool
	applying   bool
	gaveUp     bool   // it receives nothing, and no longer tries, because of an error that is not the connection's
	broken     bool   // it applies nothing because of an error
	problem    string // the error
	source     string // host:port as the server sees it
}

func (s standing) running() bool { return s.receiving && s.applying }

// readStanding reads the row of SHOW REPLICA STATUS. MariaDB kept the old names of its columns.
func readStanding(row map[string]string, source, thread string) standing {
	problem := row["Last_SQL_Error"]
	if problem == "" {
		problem = row["Last_IO_Error"]
	}
	return standing{
		configured: len(row) > 0, receiving: row[thread+"_IO_Running"] == "Yes", applying: row[thread+"_SQL_Running"] == "Yes",
		gaveUp: row[thread+"_IO_Running"] == "No" && isError(row["Last_IO_Errno"]) && !isConnectionError(row["Last_IO_Errno"]),
		broken: isError(row["Last_SQL_Errno"]), problem: problem, source: row[source+"_Host"] + ":" + row[source+"_Port"],
	}
}

func isError(number string) bool { return number != "" && number != "0" }

// isConnectionError tells the errors of a client that reaches no server. They are what a replica says behind a primary that
// is down, also once an interrupted failover has stopped it.
func isConnectionError(number string) bool { return len(number) == 4 && number[0] == '2' }

// replicationPatience is how long replication may take to begin.
const replicationPatience = 30 * time.Second

// awaitReplication waits until both threads of a replica run. The replica retries for ever, so what stands in its
// status now need not be the end; but an error of the applying thread is.
func awaitReplication(ctx context.Context, db *sql.DB, query, io, apply string) error {
	ctx, cancel := context.WithTimeout(ctx, replicationPatience)
	defer cancel()
	var broken error
	err := proc.Poll(ctx, func() error {
		status, err := queryRow(ctx, db, query)
		if err != nil {
			return err
		}
		if status["Last_SQL_Error"] != "" {
			broken = errors.New(status["Last_SQL_Error"])
			return nil
		}
		if status[io+"_IO_Running"] != "Yes" || status[apply+"_SQL_Running"] != "Yes" {
			return fmt.Errorf("replication does not run: %s %s", status["Last_IO_Error"], status["Last_SQL_Error"])
		}
		return nil
	})
	return errors.Join(broken, err)
}

// caughtUp reads the primary's position and lets the replica wait for it.
func caughtUp(ctx context.Context, pair *Pair, positionQuery, waitQuery string) error {
	var position string
	err := pair.Primary.asRoot(func(db *sql.DB) error { return db.QueryRowContext(ctx, positionQuery).Scan(&position) })
	if err != nil {
		return err
	}
	return pair.Replica.asRoot(func(db *sql.DB) error { return awaitPosition(ctx, db, position, waitQuery) })
}

func awaitPosition(ctx context.Context, db *sql.DB, position, waitQuery string) error {
	return proc.Poll(ctx, func() error {
		var result sql.NullInt64
		// One second at a time: the server would not notice that we have stopped waiting.
		if err := db.QueryRowContext(ctx, waitQuery, position, 1).Scan(&result); err != nil {
			return err
		}
		if !result.Valid || result.Int64 != 0 {
			return fmt.Errorf("it has not reached %s", position)
		}
		return nil
	})
}

// unhurried does something in which a server commits before its replica follows it. Semi-synchronous replication would
// make the first of these commits wait its whole second, on either server; so where no replica listens it waits a
// millisecond meanwhile. At the end the second is set also where it need not be: another start may have been killed in here.
func (p *Pair) unhurried(ctx context.Context, servers []*Server, do func() error) (err error) {
	words := p.engine.words()
	for _, server := range servers {
		defer func() {
			ctx := context.WithoutCancel(ctx)
			err = errors.Join(err, server.exec(ctx, fmt.Sprintf("SET GLOBAL %s = %d", words.semiSyncTimeout, semiSyncTimeout)))
		}()
		waiting, askErr := server.listeners(ctx, words.semiSyncClients)
		if askErr != nil {
			return askErr
		}
		if waiting > 0 {
			continue
		}
		if err := server.exec(ctx, "SET GLOBAL "+words.semiSyncTimeout+" = 1"); err != nil {
			return err
		}
	}
	return do()
}

// listeners counts the replicas that acknowledge what a server commits.
func (s *Server) listeners(ctx context.Context, status string) (count int, err error) {
	err = s.asRoot(func(db *sql.DB) error {
		var name string
		return db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE '"+status+"'").Scan(&name, &count)
	})
	return count, err
}

// queryRow returns the one row of a query whose columns depend on the server's version; no row is an empty map.
func queryRow(ctx context.Context, db *sql.DB, query string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	row := map[string]string{}
	if rows.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		for i, column := range columns {
			row[column] = values[i].String
		}
	}
	return row, rows.Err()
}

// execAll runs statements in order.
func execAll(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
