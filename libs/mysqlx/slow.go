package mysqlx

import (
	"context"
	"fmt"
	"strings"
	"time"

	"oms.internal/libs/fairshare"
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

// slowLane lets few slow reads run at a time, and few others wait. Members take turns, and none of them has more of it than is free.
type slowLane struct{ *fairshare.Line[uint64] }

func newSlowLane() slowLane {
	return slowLane{fairshare.NewLine[uint64](fairshare.LineOptions{
		Resource: "slow_read", Running: slowReads, Waiting: slowWaiting, Long: true,
	})}
}

func (l slowLane) run(ctx context.Context, work func() error) error {
	patient, cancel := context.WithTimeout(ctx, slowPatience)
	defer cancel()
	leave, err := l.Enter(patient, fairshare.Client(ctx), 1)
	if err != nil {
		if ctx.Err() != nil {
			return asFault(ctx, ctx.Err())
		}
		return err
	}
	defer leave()
	return work()
}

// ReadSlowly is Read for what takes long, such as a search that no index serves. Only a few run at the same time, and the members for
// whom they run (fairshare.Client) take turns. A read gets the fault TooManyRequests where too many of its member's wait, and
// Unavailable where too many wait or its turn does not come within a second. If a replica that answers runs out of time (the
// context's, or 4 s), the primary is not tried. The server ends the statement, so that abandoned ones do not slow down the next.
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
