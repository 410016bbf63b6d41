// Package replication reports on both database servers: what they are, how far they are, and whether they hold the same.
package replication

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"oms.internal/deploy/internal/database"
	"oms.internal/deploy/internal/stack"
)

// patience is how long the replica may take to catch up. The services write a heartbeat all the time, so that the two
// positions are equal most of the time but not at every instant.
const patience = 5 * time.Second

// ErrDifferent says that the servers do not hold the same, or that nothing would make them.
var ErrDifferent = errors.New("the replica does not hold what the primary holds")

// Report prints a table of both servers and whether they agree. It returns ErrDifferent if they do not within a few
// seconds, and other errors if a server cannot be asked.
func Report(ctx context.Context, s stack.Stack, out io.Writer) error {
	servers, err := database.Open(s)
	if err != nil {
		return err
	}
	defer database.Close(servers) //nolint:errcheck // nothing was written
	states, verdict, err := compare(ctx, servers)
	if err != nil {
		return err
	}
	if err := write(out, states, verdict); err != nil {
		return err
	}
	if !verdict.good() {
		return ErrDifferent
	}
	return nil
}

// compare looks until the servers agree or patience ends.
func compare(ctx context.Context, servers []database.Server) (states []state, result verdict, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience+30*time.Second)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); ; {
		if states, err = look(ctx, servers); err != nil {
			return nil, verdict{}, err
		}
		if result = judge(states); result.good() || time.Now().After(end) {
			return states, result, nil
		}
		select {
		case <-ctx.Done():
			return nil, verdict{}, ctx.Err()
		case <-ticker.C:
		}
	}
}

// verdict is what the last lines say.
type verdict struct {
	positions, counts, running, roles bool
	problem                           string
	fallenBack                        bool // a warning: it does not make the verdict bad
}

func (v verdict) good() bool { return v.positions && v.counts && v.running && v.roles }

// judge goes by the roles that the servers have now, which a failover exchanges.
func judge(states []state) verdict {
	primary, replica := states[0], states[1]
	if primary.role != "primary" {
		primary, replica = replica, primary
	}
	return verdict{
		positions:  primary.position == replica.position,
		counts:     primary.members == replica.members && primary.orders == replica.orders,
		running:    replica.replicating,
		roles:      primary.role == "primary" && replica.role == "replica",
		problem:    replica.problem,
		fallenBack: primary.role == "primary" && primary.fallenBack,
	}
}

func write(out io.Writer, states []state, result verdict) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SERVER\tENGINE\tROLE\tEPOCH\tGTID POSITION\tLAG\tSEMI-SYNC\tMEMBERS\tORDERS")
	for _, one := range states {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%d\t%d\n",
			one.server, one.engine, one.role, one.epoch, one.position, one.lag, one.semiSync, one.members, one.orders)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	word := func(good bool, yes, no string) string {
		if good {
			return yes
		}
		return no
	}
	line := strings.Join([]string{
		word(result.positions, "positions equal", "positions DIFFER"),
		word(result.counts, "counts equal", "counts DIFFER"),
		word(result.running, "replication runs", "replication DOES NOT RUN: "+result.problem),
		word(result.roles, "roles as they should be", "roles WRONG: there must be one primary and one replica (see make failover, make rejoin)"),
	}, ", ")
	if result.fallenBack {
		line += "\nWARNING: replication has fallen back to asynchronous: what is acknowledged now is on the primary alone"
	}
	_, err := fmt.Fprintln(out, line)
	return err
}
