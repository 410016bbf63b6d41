package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"

	"oms.internal/servers/dbpair"
)

// Services are the processes that use the data.
type Services interface {
	StopServices(ctx context.Context) (stopped bool, err error)
	StartServices(ctx context.Context) error
}

var (
	// ErrHoldsData says that a restore would remove members or orders.
	ErrHoldsData = errors.New("there are members or orders, which a restore would remove; FORCE=1 removes them")
	// ErrUnsealed says that a file does not show whether it is whole.
	ErrUnsealed = errors.New("the file is of an earlier release, and does not show whether something was cut out or changed; " +
		"FORCE=unsealed restores it nevertheless")
)

// Insists says which dangers somebody accepts. They are two, because there is data in nearly every system: whoever restores accepts that
// it goes, and must still be told that a file may not be whole.
type Insists struct {
	Data     bool // members and orders that are there are removed
	Unsealed bool // the file may not be whole
}

// Restore replaces both schemas on the primary by those of a backup; the replica follows. It verifies the whole file first. Then it loads
// the file beside the old data, while the services go on, and compares the rows with what the file says. Only then it stops the services,
// exchanges the data in one statement, and starts the services, which migrate the tables of an older backup. Whatever fails before the
// exchange leaves the old data in service. What an interrupted restore leaves behind, the next one or Tidy removes.
func Restore(ctx context.Context, pair *dbpair.Pair, services Services, path string, insists Insists, out io.Writer) error {
	r := restoring{pair: pair, services: services, path: path, out: out}
	if err := r.run(ctx, insists); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

type restoring struct {
	pair     *dbpair.Pair
	services Services
	path     string
	out      io.Writer
	db       *sql.DB
	alone    bool // the replica does not keep up
}

func (r *restoring) say(text string) { _, _ = fmt.Fprintln(r.out, text) }

func (r *restoring) run(ctx context.Context, insists Insists) (err error) {
	is, err := verify(ctx, r.path, r.out)
	switch {
	case err != nil:
		return err
	case is.Engine != r.pair.Engine():
		return fmt.Errorf("%s: this is a backup of %s, but the servers here are %s", r.path, is.Engine, r.pair.Engine())
	case !is.Sealed && !insists.Unsealed:
		return fmt.Errorf("%s: %w", r.path, ErrUnsealed)
	case !is.Sealed:
		r.say("the file is of an earlier release: whether it is whole cannot be verified")
	}
	if err := refuseNewer(is.Migrations); err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	if r.db, err = r.pair.Primary.OpenRoot(); err != nil {
		return err
	}
	defer r.db.Close() //nolint:errcheck // what was written was committed
	if !insists.Data {
		if err := refuseData(ctx, r.db); err != nil {
			return err
		}
	}
	if err := tidy(ctx, r.db, r.say); err != nil {
		return err
	}
	if err := r.load(ctx, is); err != nil {
		return r.abandon(ctx, err)
	}
	return r.replace(ctx)
}

// load loads the file into schemas beside the live ones, and compares them with what the file says.
func (r *restoring) load(ctx context.Context, is Contents) error {
	r.say(fmt.Sprintf("loading %s into %s, beside the data that is there", r.path, r.pair.Primary.Addr()))
	done := &progress{}
	stop := done.show(r.out, "loading", is.total())
	defer stop()
	piped, piping := io.Pipe()
	read := make(chan error, 1)
	go func() {
		again, err := readFile(ctx, r.path, piping, done, intoLoaded)
		if err == nil && !maps.Equal(again.Rows, is.Rows) {
			err = errors.New("the file was changed meanwhile")
		}
		_ = piping.CloseWithError(err)
		read <- err
	}()
	err := r.pair.Primary.Load(ctx, piped)
	_ = piped.CloseWithError(errLoadEnded)
	if readErr := <-read; readErr != nil && !errors.Is(readErr, errLoadEnded) {
		return readErr
	}
	if err != nil {
		return err
	}
	if err := r.compare(ctx, is); err != nil {
		return err
	}
	return r.awaitReplica(ctx)
}

// awaitReplica waits until the replica has the data, so that the exchange is quick there, too. A restore succeeds without the replica.
func (r *restoring) awaitReplica(ctx context.Context) error {
	if r.alone {
		return nil
	}
	err := r.pair.Sync(ctx)
	if r.alone = err != nil; r.alone {
		r.say(fmt.Sprintf("the replica does not have the data yet (see `make replication`): %v", err))
	}
	return ctx.Err()
}

var errLoadEnded = errors.New("the load ended")

// compare counts the rows that were loaded.
func (r *restoring) compare(ctx context.Context, is Contents) error {
	loaded := map[string]int64{}
	for _, schema := range schemas {
		tables, err := tablesOf(ctx, r.db, loadedPrefix+schema)
		if err != nil {
			return err
		}
		for _, table := range tables {
			var rows int64
			// #nosec G202 -- names of tables of our own
			if err := r.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+loadedPrefix+schema+".`"+table+"`").Scan(&rows); err != nil {
				return err
			}
			loaded[schema+"."+table] = rows
		}
	}
	if other := difference(loaded, is.Rows); other != "" {
		return fmt.Errorf("what was loaded is not what the file holds: %s", other)
	}
	applied, err := versions(ctx, r.db, loadedPrefix)
	if err != nil {
		return err
	}
	return refuseNewer(applied) // an older file does not say it before
}

// abandon removes what was loaded, after an error.
func (r *restoring) abandon(ctx context.Context, cause error) error {
	cause = fmt.Errorf("%w; nothing was changed, the old data is in service", cause)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	names, _, err := remains(ctx, r.db)
	if err == nil {
		err = remove(ctx, r.db, names)
	}
	if err != nil {
		return fmt.Errorf("%w. What was loaded could not be removed; the next `make up` or `make restore` does it: %w", cause, err)
	}
	return cause
}

// replace exchanges the data while no service runs.
func (r *restoring) replace(ctx context.Context) error {
	stopped, err := r.services.StopServices(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = exchange(ctx, r.db)
	}
	if err != nil {
		err = r.undecided(ctx, err)
		if stopped {
			err = errors.Join(err, r.services.StartServices(context.WithoutCancel(ctx)))
		}
		return err
	}
	r.say("the data is the backup's now")
	ctx = context.WithoutCancel(ctx) // what remains completes it
	if err := r.awaitReplica(ctx); err != nil {
		return err
	}
	if stopped {
		if err := r.services.StartServices(ctx); err != nil {
			return fmt.Errorf("the data is the backup's, but the services do not start; the next `make up` starts them, and "+
				"removes what was replaced: %w", err)
		}
	} else {
		r.say("no service ran before, so none is started; `make up` starts them")
	}
	names, _, err := remains(ctx, r.db)
	if err != nil {
		return err
	}
	return remove(ctx, r.db, names)
}

// undecided explains an error of the exchange. If its answer was lost, only the server knows what came of it.
func (r *restoring) undecided(ctx context.Context, cause error) error {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	_, exchanged, err := remains(asking, r.db)
	switch {
	case err != nil:
		return fmt.Errorf("%w; the primary does not answer. It holds either all of the old data or all of the backup's: once it runs, "+
			"`make up` says which", cause)
	case exchanged:
		return fmt.Errorf("%w; the data is the backup's nevertheless. `make up` removes what was replaced", cause)
	}
	return r.abandon(ctx, cause)
}

// refuseData fails with ErrHoldsData if there is a member or an order.
func refuseData(ctx context.Context, db *sql.DB) error {
	for _, table := range []struct{ schema, name string }{{"accounts", "members"}, {"orders", "orders"}} {
		exists, err := hasTable(ctx, db, table.schema, table.name)
		if err != nil {
			return err
		}
		if !exists {
			continue
		}
		var rows int
		// #nosec G202 -- one of the names above
		query := "SELECT COUNT(*) FROM (SELECT 1 FROM " + table.schema + "." + table.name + " LIMIT 1) AS one"
		if err := db.QueryRowContext(ctx, query).Scan(&rows); err != nil {
			return err
		}
		if rows > 0 {
			return ErrHoldsData
		}
	}
	return nil
}
