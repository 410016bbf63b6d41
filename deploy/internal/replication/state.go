package replication

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"oms.internal/deploy/internal/database"
	"oms.internal/servers/dbpair"
)

// state is what one server says about itself.
type state struct {
	server      string
	engine      string // with version
	role        string // "primary", "replica" or down
	position    string // GTIDs that were executed
	lag         string
	replicating bool
	problem     string // why it does not replicate, or does not answer
	hangs       bool   // it is down in that it gives no answer; otherwise it refuses connections, or answers with an error
	semiSync    string
	fallenBack  bool // a primary that does not wait for its replica
	epoch       uint64
	members     int64
	orders      int64
	uncounted   string // why members and orders are not known
}

// answerTimeout is how long a server may take to say what it is.
const answerTimeout = 3 * time.Second

// down is the role of a server that does not answer.
const down = "down"

// errNoAnswer says of a server that it did not answer in time.
var errNoAnswer = errors.New("no answer")

// countTimeout is how long a server may take to count its rows.
const countTimeout = 30 * time.Second

// look asks both servers at the same time. Positions are read close to each other, and before the counts, which take longer. A server
// that does not answer is part of the result.
func look(ctx context.Context, servers []database.Server) []state {
	states := make([]state, len(servers))
	each := func(timeout time.Duration, ask func(context.Context, *state, database.Server) error, failed func(*state, error)) {
		var asked sync.WaitGroup
		for i, server := range servers {
			if states[i].role == down {
				continue
			}
			asked.Go(func() {
				ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w within %s", errNoAnswer, timeout))
				defer cancel()
				if err := ask(ctx, &states[i], server); err != nil {
					failed(&states[i], cmp.Or(context.Cause(ctx), err))
				}
			})
		}
		asked.Wait()
	}
	isDown := func(s *state, why error) {
		*s = state{server: s.server, role: down, problem: why.Error(), hangs: errors.Is(why, errNoAnswer)}
	}
	each(answerTimeout, identify, isDown)
	each(answerTimeout, readPosition, isDown)
	each(countTimeout, count, func(s *state, why error) { s.uncounted = why.Error() })
	return states
}

func name(server database.Server) string { return server.Name + " " + server.Addr }

func identify(ctx context.Context, s *state, server database.Server) (err error) {
	s.server = name(server)
	var version string
	var readOnly bool
	if err := server.DB.QueryRowContext(ctx, "SELECT VERSION(), @@GLOBAL.read_only").Scan(&version, &readOnly); err != nil {
		return err
	}
	s.engine, s.role, s.lag = engineOf(version), "primary", "-"
	if s.epoch, err = dbpair.HighestEpoch(ctx, server.DB); err != nil {
		return err
	}
	rows, err := database.Rows(ctx, server.DB, "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync%'")
	if err != nil {
		return err
	}
	status := map[string]string{}
	for _, row := range rows {
		status[row.Text("Variable_name")] = row.Text("Value")
	}
	if !readOnly {
		s.readSource(status)
		return nil
	}
	s.role, s.problem, s.semiSync = "replica", "it follows nobody", "does not acknowledge"
	for _, name := range []string{"Rpl_semi_sync_replica_status", "Rpl_semi_sync_slave_status"} {
		if status[name] == "ON" {
			s.semiSync = "acknowledges"
		}
	}
	following, err := dbpair.ReadReplicaStatus(ctx, server.DB)
	if err != nil || !following.Configured {
		return err
	}
	s.replicating, s.problem = following.Running(), cmp.Or(following.Problem, "receiving or applying was stopped")
	if following.Lag != "" {
		s.lag = following.Lag + " s"
	}
	return nil
}

// readSource reads whether a primary waits for its replica before it acknowledges a commit. MariaDB kept the old names.
func (s *state) readSource(status map[string]string) {
	on, clients := status["Rpl_semi_sync_source_status"], status["Rpl_semi_sync_source_clients"]
	if on == "" {
		on, clients = status["Rpl_semi_sync_master_status"], status["Rpl_semi_sync_master_clients"]
	}
	// Without any replica it counts as on until the next commit has waited in vain.
	s.fallenBack = on != "ON" || clients == "0"
	s.semiSync = "on, replicas that acknowledge: " + clients
	if s.fallenBack {
		s.semiSync = "OFF, replicas that acknowledge: " + clients
	}
}

// engineOf makes "MariaDB 10.11.19" of "10.11.19-MariaDB-0+deb12u1-log", and "MySQL 9.7.4" of "9.7.4-2".
func engineOf(version string) string {
	number, _, _ := strings.Cut(version, "-")
	if strings.Contains(version, "MariaDB") {
		return "MariaDB " + number
	}
	return "MySQL " + number
}

func readPosition(ctx context.Context, s *state, server database.Server) error {
	query := "SELECT @@GLOBAL.gtid_executed"
	if strings.HasPrefix(s.engine, "MariaDB") {
		query = "SELECT @@GLOBAL.gtid_current_pos"
	}
	if err := server.DB.QueryRowContext(ctx, query).Scan(&s.position); err != nil {
		return err
	}
	// MySQL breaks the line after each server's set.
	s.position = strings.ReplaceAll(s.position, "\n", "")
	return nil
}

// count reads how much a server holds. It fails on a server whose tables are large, or are not there, as during a rejoin.
func count(ctx context.Context, s *state, server database.Server) error {
	return server.DB.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM accounts.members), (SELECT COUNT(*) FROM orders.orders)").
		Scan(&s.members, &s.orders)
}
