package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// lookTimeout is how long a server may take to say what it is. One that takes longer counts as one that does not answer.
const lookTimeout = 2 * time.Second

// view is what a server says that it is.
type view struct {
	server   *Server
	err      error // why it could not be asked
	readOnly bool
	standing standing
	// epoch and beat are the highest of its schemas' heartbeats.
	epoch, beat uint64
}

func (v view) writable() bool { return v.err == nil && !v.readOnly }

// muchNewer is by how much a replica's heartbeat cannot exceed its primary's, even if it was asked later.
const muchNewer = 5 * time.Second

// newerThan tells whether the server holds heartbeats that the other lacks, and no promotion explains that. No replica does:
// the other has lost its data, or was given older.
func (v view) newerThan(other view) bool {
	return v.err == nil && other.err == nil && v.epoch >= other.epoch && v.beat > other.beat+uint64(muchNewer.Microseconds())
}

// look asks both servers side by side. The primary, by what is known until now, comes first.
func (p *Pair) look(ctx context.Context) [2]view {
	views := [2]view{{server: p.Primary}, {server: p.Replica}}
	var done [2]chan struct{}
	for i := range views {
		done[i] = make(chan struct{})
		go func() {
			defer close(done[i])
			views[i].err = p.ask(ctx, &views[i])
		}()
	}
	for i := range views {
		<-done[i]
	}
	return views
}

func (p *Pair) ask(ctx context.Context, v *view) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return v.server.asRoot(func(db *sql.DB) error {
		if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL.read_only").Scan(&v.readOnly); err != nil {
			return err
		}
		var err error
		if v.standing, err = p.engine.standing(ctx, db); err != nil {
			return err
		}
		if v.epoch, err = HighestEpoch(ctx, db); err != nil {
			return err
		}
		v.beat, err = highest(ctx, db, "beat")
		return err
	})
}

// Orient puts the servers into the fields of their roles, by what they say, and fails rather than guess: a server that only
// cannot be asked may be the primary. The writable one of the highest epoch is. Where both answer and none is writable, as
// after a restore that was cut off, the one that follows is the replica.
func (p *Pair) Orient(ctx context.Context) error {
	views := p.look(ctx)
	primary, other, err := tellPrimary(views)
	if err != nil {
		primary, other = views[0], views[1]
		if primary.standing.configured {
			primary, other = other, primary
		}
		known := primary.err == nil && other.err == nil && !primary.writable() && !other.writable() &&
			!primary.standing.configured && other.standing.configured
		if !known {
			return fmt.Errorf("which server is the primary: %w", err)
		}
	}
	p.Primary, p.Replica = primary.server, other.server
	return nil
}

// requireSound fails where the primary takes no writes, which only an interrupted command leaves behind, and where it holds
// less than its replica: a shop that goes on with an empty primary has lost everything.
func (p *Pair) requireSound(ctx context.Context) error {
	views := p.look(ctx)
	primary, other := views[0], views[1]
	if primary.err != nil {
		return primary.err
	}
	if other.newerThan(primary) {
		return p.newerReplica()
	}
	if primary.readOnly {
		return fmt.Errorf("%s takes no writes: a failover was interrupted: `make failover` (or a restore: the same restore again)",
			p.Primary.title())
	}
	return nil
}

func (p *Pair) newerReplica() error {
	return fmt.Errorf("%s is the primary, but %s holds newer data: if the former's was lost, `make failover FORCE=1` makes the "+
		"latter the primary; if it is right as it is, empty the latter's folder or volume", p.Primary.title(), p.Replica.title())
}

// epochSchemas are the schemas whose services tell primaries apart by an epoch.
func epochSchemas(ctx context.Context, db *sql.DB) ([]string, error) {
	return stringsOf(ctx, db, "SELECT table_schema FROM information_schema.columns "+
		"WHERE table_name = 'heartbeat' AND column_name = 'epoch' ORDER BY table_schema")
}

// HighestEpoch is the highest epoch of a server's schemas.
func HighestEpoch(ctx context.Context, db *sql.DB) (uint64, error) { return highest(ctx, db, "epoch") }

// beatAge is the age of a server's newest heartbeat, which is a time in microseconds; unknown before the first.
func beatAge(ctx context.Context, db *sql.DB) (age time.Duration, known bool, err error) {
	beat, err := highest(ctx, db, "beat")
	if err != nil || beat == 0 {
		return 0, false, err
	}
	return time.Since(time.UnixMicro(int64(beat))), true, nil
}

// highest is the highest value of a column of the schemas' heartbeats.
func highest(ctx context.Context, db *sql.DB, column string) (uint64, error) {
	schemas, err := epochSchemas(ctx, db)
	if err != nil || len(schemas) == 0 {
		return 0, err
	}
	parts := make([]string, len(schemas))
	for i, schema := range schemas {
		parts[i] = "SELECT " + column + " AS value FROM `" + schema + "`.heartbeat"
	}
	var value uint64
	// #nosec G202 -- names of our own schemas
	err = db.QueryRowContext(ctx, "SELECT COALESCE(MAX(value), 0) FROM ("+strings.Join(parts, " UNION ALL ")+") AS values_of_all").Scan(&value)
	return value, err
}

// RaiseEpoch makes every schema's epoch at least so high.
func RaiseEpoch(ctx context.Context, db *sql.DB, epoch uint64) error {
	schemas, err := epochSchemas(ctx, db)
	if err != nil {
		return err
	}
	for _, schema := range schemas {
		// #nosec G202 -- names of our own schemas
		if _, err := db.ExecContext(ctx, "UPDATE `"+schema+"`.heartbeat SET epoch = GREATEST(epoch, ?)", epoch); err != nil {
			return err
		}
	}
	return nil
}

func stringsOf(ctx context.Context, db *sql.DB, query string) (values []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}
