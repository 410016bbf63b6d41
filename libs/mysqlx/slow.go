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
	// slowReads is how many slow reads a process runs at the same time. Most of its connections stay free for fast reads and writes.
	slowReads = 4
	// slowWaiting is how many slow reads wait for their turn. The limit keeps them from taking all requests that a service accepts.
	slowWaiting = 32
	// slowPatience is how long a slow read waits for its turn.
	slowPatience = time.Second
	// slowestRead is the longest time of a slow read. It is shorter than ioTimeout, so that the server ends the read before the
	// connection does.
	slowestRead = 4 * time.Second
)

var errBusy = errors.New("too many slow reads at once")

// slowLane lets few slow reads run at a time, and few others wait.
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

// ReadSlowly is Read for what no index serves, such as a search. Only a few run at the same time. A read that would wait for its turn
// for longer than a second gets the fault Unavailable. If a living replica does not finish the read within the context's time, or
// within 4 s, the primary is not asked. The server then ends the read, which would otherwise go on for nobody beside the next ones.
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

// statement adds the time limit of a slow read to a query, in the words of both engines: MySQL takes MariaDB's SET STATEMENT for a comment,
// and MariaDB takes MySQL's hint for one.
func (r Reader) statement(ctx context.Context, query string) string {
	deadline, ends := ctx.Deadline()
	if !r.bounded || !ends {
		return query
	}
	// The limit is in whole tenths of a second, so that servers see few different statements. It is a tenth longer than the context, so that
	// the context ends first and a result that the server cut short never looks like an answer.
	const tenth = 100 * time.Millisecond
	milliseconds := max(1, (time.Until(deadline)+2*tenth)/tenth) * 100
	hint := fmt.Sprintf("SELECT /*+ MAX_EXECUTION_TIME(%d) */", milliseconds)
	return fmt.Sprintf("/*M!100101 SET STATEMENT max_statement_time=%.1f FOR */ ", float64(milliseconds)/1000) +
		strings.Replace(query, "SELECT", hint, 1)
}
