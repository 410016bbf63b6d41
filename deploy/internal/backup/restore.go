package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"oms.internal/servers/dbpair"
)

// Services are the processes that use the data.
type Services interface {
	StopServices(ctx context.Context) (stopped bool, err error)
	StartServices(ctx context.Context) error
}

// ErrHoldsData says that a restore would remove members or orders.
var ErrHoldsData = errors.New("there are members or orders, which a restore would remove; FORCE=1 removes them")

// Restore replaces both schemas on the primary by those of a backup. The replica receives them by replication. The services stop before
// it, because what they have in memory belongs to the old data. They start after it, and migrate the tables of an older backup.
// The primary takes no other writes until the backup is loaded. A restore that was interrupted must be repeated with force.
func Restore(ctx context.Context, pair *dbpair.Pair, services Services, path string, force bool, out io.Writer) error {
	if err := restore(ctx, pair, services, path, force, out); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

func restore(ctx context.Context, pair *dbpair.Pair, services Services, path string, force bool, out io.Writer) (err error) {
	file, err := open(path, pair.Engine())
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read from
	db, err := pair.Primary.OpenRoot()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // what was written was committed
	if !force {
		if err := refuseData(ctx, db); err != nil {
			return err
		}
	}
	say := func(format string, arguments ...any) { _, _ = fmt.Fprintf(out, format+"\n", arguments...) }
	stopped, err := services.StopServices(ctx)
	if err != nil {
		return err
	}
	say("loading %s into %s", path, pair.Primary.Addr())
	begun, err := replace(ctx, db, pair.Primary, file)
	switch {
	case begun && err != nil:
		return fmt.Errorf("%w\nthe data is incomplete, and the primary is read-only: restore again, with FORCE=1", err)
	case err != nil && stopped:
		return errors.Join(err, services.StartServices(context.WithoutCancel(ctx)))
	case err != nil:
		return err
	}
	if err := pair.Sync(ctx); err != nil {
		say("the replica does not have the data yet (see `make replication`): %v", err)
	}
	if !stopped {
		say("no service ran before, so none is started; `make up` starts them")
		return nil
	}
	return services.StartServices(ctx)
}

// refuseData fails with ErrHoldsData if there is a member or an order.
func refuseData(ctx context.Context, db *sql.DB) error {
	for _, table := range []string{"accounts.members", "orders.orders"} {
		var exists, rows int
		err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.tables WHERE CONCAT(table_schema, '.', table_name) = ?",
			table).Scan(&exists)
		if err != nil {
			return err
		}
		if exists == 0 {
			continue
		}
		// #nosec G202 -- one of the names above
		if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM "+table+" LIMIT 1) AS one").Scan(&rows); err != nil {
			return err
		}
		if rows > 0 {
			return ErrHoldsData
		}
	}
	return nil
}

// replace loads the backup while only root may write. It keeps the current epochs, because with the older ones of the backup the primary
// would look like a server that was replaced. begun says whether data may have changed.
func replace(ctx context.Context, db *sql.DB, primary *dbpair.Server, backup io.Reader) (begun bool, err error) {
	epoch, err := dbpair.HighestEpoch(ctx, db)
	if err != nil {
		return false, err
	}
	if _, err := db.ExecContext(ctx, "SET GLOBAL read_only = ON"); err != nil {
		return false, err
	}
	if err := primary.Load(ctx, backup); err != nil {
		return true, err
	}
	if err := dbpair.RaiseEpoch(ctx, db, epoch); err != nil {
		return true, err
	}
	_, err = db.ExecContext(ctx, "SET GLOBAL read_only = OFF")
	return true, err
}
