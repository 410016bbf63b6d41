package replication

import (
	"context"
	"fmt"
	"strings"

	"oms.internal/deploy/internal/database"
)

// state is what one server says about itself.
type state struct {
	server      string
	engine      string // with version
	role        string
	position    string // GTIDs that were executed
	lag         string
	replicating bool
	problem     string // why it does not replicate
	members     int64
	orders      int64
}

// look asks both servers. Positions are read close to each other, and before the counts, which take longer.
func look(ctx context.Context, servers []database.Server) ([]state, error) {
	states := make([]state, len(servers))
	for i, server := range servers {
		if err := states[i].identify(ctx, server); err != nil {
			return nil, fmt.Errorf("ask the %s at %s: %w", server.Name, server.Addr, err)
		}
	}
	for i, server := range servers {
		if err := states[i].readPosition(ctx, server); err != nil {
			return nil, fmt.Errorf("position of the %s: %w", server.Name, err)
		}
	}
	for i, server := range servers {
		if err := states[i].count(ctx, server); err != nil {
			return nil, fmt.Errorf("count rows of the %s: %w", server.Name, err)
		}
	}
	return states, nil
}

func (s *state) identify(ctx context.Context, server database.Server) error {
	var version string
	var readOnly bool
	if err := server.DB.QueryRowContext(ctx, "SELECT VERSION(), @@GLOBAL.read_only").Scan(&version, &readOnly); err != nil {
		return err
	}
	s.server, s.engine, s.role, s.lag = server.Name+" "+server.Addr, engineOf(version), "primary", "-"
	if !readOnly {
		return nil
	}
	s.role, s.problem = "replica", "it follows nobody"
	rows, err := database.Rows(ctx, server.DB, "SHOW REPLICA STATUS")
	if err != nil || len(rows) == 0 {
		return err
	}
	s.readReplication(rows[0])
	return nil
}

// readReplication reads the one row of SHOW REPLICA STATUS. MariaDB kept the old names of its columns.
func (s *state) readReplication(row database.Row) {
	if lag, known := row.First("Seconds_Behind_Source", "Seconds_Behind_Master"); known {
		s.lag = lag + " s"
	}
	receiving, _ := row.First("Replica_IO_Running", "Slave_IO_Running")
	applying, _ := row.First("Replica_SQL_Running", "Slave_SQL_Running")
	receiveError, _ := row.First("Last_IO_Error")
	applyError, _ := row.First("Last_SQL_Error")
	s.replicating = receiving == "Yes" && applying == "Yes"
	s.problem = strings.TrimSpace(fmt.Sprintf("receiving: %s, applying: %s. %s %s", receiving, applying, receiveError, applyError))
}

// engineOf makes "MariaDB 10.11.19" of "10.11.19-MariaDB-0+deb12u1-log", and "MySQL 9.7.4" of "9.7.4-2".
func engineOf(version string) string {
	number, _, _ := strings.Cut(version, "-")
	if strings.Contains(version, "MariaDB") {
		return "MariaDB " + number
	}
	return "MySQL " + number
}

func (s *state) readPosition(ctx context.Context, server database.Server) error {
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

func (s *state) count(ctx context.Context, server database.Server) error {
	return server.DB.QueryRowContext(ctx,
		"SELECT (SELECT COUNT(*) FROM accounts.members), (SELECT COUNT(*) FROM orders.orders)").Scan(&s.members, &s.orders)
}
