package chaos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/servers/dbpair"
)

// databases are the two servers. Which of them is the primary changes with every failover, and so is asked each time.
type databases struct {
	system *system
	engine engine
	roots  [2]*sql.DB // past the proxies
	// delay is how many seconds the replica waits before it applies what it has received.
	delay int
}

func newDatabases(ctx context.Context, s *system) (*databases, error) {
	password, err := s.Secret("mysql-root")
	if err != nil {
		return nil, err
	}
	d := &databases{system: s}
	var answers [2]func(context.Context) error
	for i, name := range []string{"PRIMARY_PORT", "REPLICA_PORT"} {
		config := mysql.NewConfig()
		config.Net, config.Addr = "tcp", s.Address(name)
		config.User, config.Passwd, config.InterpolateParams = "root", password, true
		config.Timeout, config.ReadTimeout, config.Logger = time.Second, 2*time.Minute, &mysql.NopLogger{}
		connector, err := mysql.NewConnector(config)
		if err != nil {
			return nil, err
		}
		d.roots[i] = sql.OpenDB(connector)
		answers[i] = d.roots[i].PingContext
	}
	started := newMariaDB(s, answers)
	d.engine = started
	chosen, err := dbpair.EngineFromEnvironment()
	if err == nil && chosen == dbpair.MySQL {
		d.engine, err = newMySQL(ctx, s, started)
	}
	return d, err
}

func (d *databases) close() error {
	err := errors.Join(d.roots[0].Close(), d.roots[1].Close())
	if containers, ok := d.engine.(*mysqlServers); ok && containers.pair != nil {
		err = errors.Join(err, containers.pair.Close())
	}
	return err
}

// proxied tells whether the replica's link to the primary has a proxy.
func (d *databases) proxied() bool {
	_, ok := d.engine.(*mariadb)
	return ok
}

// primary is the index of the server that takes writes.
func (d *databases) primary(ctx context.Context) (int, error) {
	found := -1
	err := await(ctx, time.Minute, func(ctx context.Context) error {
		var problems []error
		for i, root := range d.roots {
			var readOnly bool
			if err := root.QueryRowContext(ctx, "SELECT @@GLOBAL.read_only").Scan(&readOnly); err != nil {
				problems = append(problems, err)
			} else if !readOnly {
				found = i
				return nil
			}
		}
		return errors.Join(append(problems, errors.New("no server takes writes"))...)
	})
	return found, err
}

// replica is the index of the other one.
func (d *databases) replica(ctx context.Context) (int, error) {
	primary, err := d.primary(ctx)
	return 1 - primary, err
}

// relink lets the replica replicate through the proxy in front of the primary, with the delay.
func (d *databases) relink(ctx context.Context) error {
	primary, err := d.primary(ctx)
	if err != nil {
		return err
	}
	statements, err := d.engine.replicate(d.system.links.replication[primary], d.delay)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := d.roots[1-primary].ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// caughtUp waits until the replica has what the primary has now.
func (d *databases) caughtUp(ctx context.Context) error {
	primary, err := d.primary(ctx)
	if err != nil {
		return err
	}
	_, has, wait := d.engine.words()
	var position string
	if err := d.roots[primary].QueryRowContext(ctx, has).Scan(&position); err != nil {
		return err
	}
	err = await(ctx, time.Minute, func(ctx context.Context) error {
		var result int
		err := d.roots[1-primary].QueryRowContext(ctx, wait, position).Scan(&result)
		if err == nil && result != 0 {
			err = fmt.Errorf("it has not reached %s", position)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("the replica does not catch up: %w", err)
	}
	return nil
}

// applying starts or stops the thread of the replica that applies what it received; it goes on receiving.
func (d *databases) applying(ctx context.Context, on bool) error {
	replica, err := d.replica(ctx)
	if err != nil {
		return err
	}
	word, _, _ := d.engine.words()
	statement := "STOP " + word + " SQL_THREAD"
	if on {
		statement = "START " + word + " SQL_THREAD"
	}
	_, err = d.roots[replica].ExecContext(ctx, statement)
	return err
}

// orders reads the ids of all orders above an id from the primary, by product.
func (d *databases) orders(ctx context.Context, above uint64) (map[string][]uint64, error) {
	primary, err := d.primary(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := d.roots[primary].QueryContext(ctx, "SELECT product_name, id FROM orders.orders WHERE id > ?", above)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	found := map[string][]uint64{}
	for rows.Next() {
		var product string
		var id uint64
		if err := rows.Scan(&product, &id); err != nil {
			return nil, err
		}
		found[product] = append(found[product], id)
	}
	return found, rows.Err()
}

// lastOrder is the highest id of an order.
func (d *databases) lastOrder(ctx context.Context) (id uint64, err error) {
	primary, err := d.primary(ctx)
	if err != nil {
		return 0, err
	}
	err = d.roots[primary].QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM orders.orders").Scan(&id)
	return id, err
}
