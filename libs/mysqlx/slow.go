package mysqlx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"oms.internal/libs/fault"
)

const (
	// slowReads is how many slow reads a process runs at the same time: few enough that most of its connections to each
	// server stay free for reads and writes that take no time.
	slowReads = 4
	// slowWaiting is how many wait for that, so that neither do they hold all requests that a service may be sent.
	slowWaiting  = 32
	slowPatience = time.Second
)

var errBusy = errors.New("too many slow reads at once")

// slowLane lets in few at a time.
type slowLane struct{ admitted, running chan struct{} }

func newSlowLane() slowLane {
	return slowLane{make(chan struct{}, slowReads+slowWaiting), make(chan struct{}, slowReads)}
}

func (l slowLane) run(ctx context.Context, work func() error) error {
	select {
	case l.admitted <- struct{}{}:
	default:
		return fault.NewUnavailable(errBusy)
	}
	defer func() { <-l.admitted }()
	patience := time.NewTimer(slowPatience)
	defer patience.Stop()
	select {
	case l.running <- struct{}{}:
	case <-patience.C:
		return fault.NewUnavailable(errBusy)
	case <-ctx.Done():
		return asFault(ctx, ctx.Err())
	}
	defer func() { <-l.running }()
	return work()
}

// slowestRead is the time of a slow read whose context gives it more, or no end: less than a connection is given.
const slowestRead = 4 * time.Second

// ReadSlowly is Read for what no index serves, such as a search. Only a few run at the same time; what would wait for
// longer than a second is refused with the fault Unavailable. What a living replica does not do within the context's time is
// not tried on the primary, and the server ends it then: else it would go on there, for nobody, beside the next ones.
func (c *Cluster) ReadSlowly(ctx context.Context, read func(context.Context, Reader) error) error {
	return c.slow.run(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, slowestRead)
		defer cancel()
		_, err := c.readNear(ctx, true, func(ctx context.Context, reader Reader) error {
			reader.bounded = true
			return read(ctx, reader)
		})
		return err
	})
}

// statement is the query, with the bound that a slow read has: MariaDB's SET STATEMENT, which MySQL takes for a comment, and
// MySQL's hint, which MariaDB takes for one.
func (r Reader) statement(ctx context.Context, query string) string {
	deadline, ends := ctx.Deadline()
	if !r.bounded || !ends {
		return query
	}
	// In whole tenths of a second, so that servers see few different statements, and a tenth later than the context, so that what
	// was cut short there never looks like an answer.
	const tenth = 100 * time.Millisecond
	milliseconds := max(1, (time.Until(deadline)+2*tenth)/tenth) * 100
	hint := fmt.Sprintf("SELECT /*+ MAX_EXECUTION_TIME(%d) */", milliseconds)
	return fmt.Sprintf("/*M!100101 SET STATEMENT max_statement_time=%.1f FOR */ ", float64(milliseconds)/1000) +
		strings.Replace(query, "SELECT", hint, 1)
}
