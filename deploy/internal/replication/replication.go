// Package replication reports on both database servers: what they are, how far they are, and whether they hold the same.
package replication

import (
	"cmp"
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

// patience is how long a replica that replicates may take to catch up. The services write a heartbeat all the time, so that the two
// positions are equal most of the time but not at every instant. For anything else there is nothing to wait for.
const patience = 5 * time.Second

// ErrDifferent says that the servers do not hold the same, or that nothing would make them.
var ErrDifferent = errors.New("the replica does not hold what the primary holds")

// ErrDown says that a server could not be asked.
var ErrDown = errors.New("a database server does not answer")

// Report prints a table of both servers and whether they agree. It returns ErrDown if one does not answer, and ErrDifferent if
// they do not agree, within a few seconds where the replica may still catch up.
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
	switch {
	case len(verdict.down) > 0:
		return ErrDown
	case !verdict.good():
		return ErrDifferent
	}
	return nil
}

// compare looks until the servers agree, or waiting cannot change that, or patience ends.
func compare(ctx context.Context, servers []database.Server) (states []state, result verdict, err error) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); ; {
		states = look(ctx, servers)
		if result = judge(states); result.good() || !result.mayBecomeGood() || time.Now().After(end) {
			return states, result, ctx.Err()
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
	down                              []state // those that do not answer; then nothing can be said of the rest
	alone                             string  // the role of the server that answers, if one does not
	positions, counts, running, roles bool
	uncounted                         string // why the counts are not known, which does not make the verdict bad
	problem                           string
	fallenBack                        bool // a warning: it does not make the verdict bad
}

func (v verdict) good() bool {
	return v.mayBecomeGood() && v.positions && (v.counts || v.uncounted != "")
}

// mayBecomeGood reports whether time alone makes the servers equal.
func (v verdict) mayBecomeGood() bool { return len(v.down) == 0 && v.running && v.roles }

// judge goes by the roles that the servers have now, which a failover exchanges.
func judge(states []state) (result verdict) {
	for i, one := range states {
		if one.role == down {
			result.down, result.alone = append(result.down, one), states[1-i].role
		}
	}
	if len(result.down) > 0 {
		return result
	}
	primary, replica := states[0], states[1]
	if primary.role != "primary" || replica.role == "primary" && replica.epoch > primary.epoch {
		primary, replica = replica, primary
	}
	return verdict{
		positions:  primary.position == replica.position,
		counts:     primary.members == replica.members && primary.orders == replica.orders,
		uncounted:  cmp.Or(primary.uncounted, replica.uncounted),
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
		epoch, members, orders := fmt.Sprint(one.epoch), fmt.Sprint(one.members), fmt.Sprint(one.orders)
		if one.role == down {
			epoch = "-"
		}
		if one.uncounted != "" || one.role == down {
			members, orders = "?", "?"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			one.server, one.engine, one.role, epoch, one.position, one.lag, one.semiSync, members, orders)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, result)
	return err
}

// String is the verdict in words.
func (v verdict) String() string {
	if len(v.down) > 0 {
		return v.describeDown()
	}
	word := func(good bool, yes, no string) string {
		if good {
			return yes
		}
		return no
	}
	counts := word(v.counts, "counts equal", "counts DIFFER")
	if v.uncounted != "" {
		counts = "counts UNKNOWN: " + v.uncounted
	}
	line := strings.Join([]string{
		word(v.positions, "positions equal", "positions DIFFER"),
		counts,
		word(v.running, "replication runs", "replication DOES NOT RUN: "+v.problem),
		word(v.roles, "roles as they should be", "roles WRONG: there must be one primary and one replica (see make failover, make rejoin)"),
	}, ", ")
	if v.fallenBack {
		line += "\nWARNING: replication has fallen back to asynchronous: what is acknowledged now is on the primary alone"
	}
	return line
}

// describeDown says which servers do not answer, why, and what to do. What such a server holds is not known.
func (v verdict) describeDown() string {
	var lines []string
	hangs := false
	for _, one := range v.down {
		word := "is DOWN"
		if one.hangs {
			word, hangs = "HANGS", true
		}
		lines = append(lines, fmt.Sprintf("server %s %s: %s", one.server, word, one.problem))
	}
	return strings.Join(append(lines, v.remedy(hangs)), "\n")
}

// remedy says what helps where a server does not answer. `make up` starts what does not run, and leaves alone a database server that hangs.
func (v verdict) remedy(hangs bool) string {
	const (
		both    = "both servers are DOWN: there is no service until "
		primary = "The other one is the primary and goes on alone: what is acknowledged now is on it alone. `make rejoin` "
		replica = "The other one is a replica: nothing can be written. "
	)
	switch {
	case len(v.down) > 1 && hangs:
		return both + "`make down` has ended what hangs and `make up` has started them"
	case len(v.down) > 1:
		return both + "`make up` has started them"
	case v.alone == "primary" && hangs:
		return primary + "kills the replica and starts it again"
	case v.alone == "primary":
		return primary + "starts the replica"
	case hangs:
		return replica + "`make failover` kills the primary and makes the replica one; `make up` would only wait for it"
	default:
		return replica + "`make up` starts the primary, or `make failover` makes the replica one"
	}
}
