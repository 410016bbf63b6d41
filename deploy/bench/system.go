package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-sql-driver/mysql"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/proc"

	"oms.internal/deploy/bench/internal/dataset"
	"oms.internal/deploy/internal/systemtest"
)

// settings raise the limits far above what this machine can do. They are not removed: each request is still counted.
var settings = []string{
	"RATE_LIMIT_ADDRESS=1000000/1000000", "RATE_LIMIT_MEMBER=1000000/1000000", "CONNECTIONS_PER_ADDRESS=2000", "ANSWER_BYTES=67108864",
}

// system is one of `make up` with a data set in it.
type system struct {
	*systemtest.System

	size dataset.Size
	url  string // of the gateway
	// primary and replica are root's.
	primary, replica *sql.DB
}

// open starts the system in a folder. The data set of an earlier run is used again if it is the same; otherwise it is loaded anew.
func open(ctx context.Context, folder string, size dataset.Size, out io.Writer, more ...string) (*system, error) {
	there, err := dataset.Recorded(folder, size)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, folder, size, there, out, more)
	if err != nil {
		return nil, err
	}
	if there {
		var orders int
		err := s.primary.QueryRowContext(ctx, "SELECT MAX(id) FROM orders.orders").Scan(&orders)
		if err != nil || orders <= size.Orders+size.Orders/4 {
			return s, s.unlessNil(err)
		}
		// Each run places orders, and after many of them the data set is another.
		_, _ = fmt.Fprintf(out, "the data set has grown to %d orders, and is loaded anew\n", orders)
		if err := s.close(); err != nil {
			return nil, err
		}
		if s, err = start(ctx, folder, size, false, out, more); err != nil {
			return nil, err
		}
	}
	err = dataset.Load(ctx, folder, size, [2]*sql.DB{s.primary, s.replica}, out)
	if err == nil {
		err = s.OMS(ctx, "down")
	}
	if err == nil {
		err = s.OMS(ctx, "up")
	}
	return s, s.unlessNil(err)
}

// unlessNil ends the system if there is an error.
func (s *system) unlessNil(err error) error {
	if err != nil {
		err = errors.Join(err, s.close())
	}
	return err
}

// start starts the system in a folder, which is emptied before unless the data is to be kept.
func start(ctx context.Context, folder string, size dataset.Size, keep bool, out io.Writer, more []string) (*system, error) {
	if !keep {
		if err := os.RemoveAll(folder); err != nil {
			return nil, err
		}
	}
	kept, err := systemtest.Keep(folder, append(append([]string{}, settings...), more...)...)
	if err != nil {
		return nil, err
	}
	s := &system{System: kept, size: size, url: "http://" + kept.Address("GATEWAY_PORT")}
	_, _ = fmt.Fprintln(out, "starting a system in", folder)
	if err := s.Up(ctx); err != nil {
		return nil, s.unlessNil(err)
	}
	password, err := s.Secret("mysql-root")
	if err != nil {
		return nil, s.unlessNil(err)
	}
	var primaryErr, replicaErr error
	s.primary, primaryErr = dbpair.OpenRootAt(s.Address("PRIMARY_PORT"), password)
	s.replica, replicaErr = dbpair.OpenRootAt(s.Address("REPLICA_PORT"), password)
	return s, s.unlessNil(errors.Join(primaryErr, replicaErr))
}

func (s *system) close() error {
	for _, db := range []*sql.DB{s.primary, s.replica} {
		if db != nil {
			_ = db.Close() // a connection may be from before the servers' restart, and nothing is lost
		}
	}
	return s.Close()
}

// beside starts another instance of a service and waits until it is ready. end ends it, and removes its log, which is of many requests.
func (s *system) beside(ctx context.Context, name, service string, changed ...string) (started *systemtest.Instance, end func() error, err error) {
	started, err = s.NewInstance(name, service, changed...)
	if err != nil {
		return nil, nil, err
	}
	end = func() error {
		return errors.Join(started.Kill(), os.Remove(filepath.Join(s.Data, "logs", name+".log")))
	}
	if err := started.Restart(ctx); err != nil {
		return nil, nil, errors.Join(err, started.Kill())
	}
	return started, end, nil
}

// bare opens a schema as its service does (libs/mysqlx/host.go), for a program that knows no OMS.
func (s *system) bare(port, schema string, connections int) (*sql.DB, error) {
	password, err := s.Secret("mysql-" + schema + "-app")
	if err != nil {
		return nil, err
	}
	config := mysql.NewConfig()
	config.Net, config.Addr, config.DBName = "tcp", s.Address(port), schema
	config.User, config.Passwd = schema+"_app", password
	config.ParseTime, config.ClientFoundRows, config.InterpolateParams = true, true, true
	config.Collation = "utf8mb4_unicode_520_ci"
	config.Params = map[string]string{"time_zone": "'+00:00'", "sql_mode": "'TRADITIONAL,NO_ENGINE_SUBSTITUTION'"}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// records are the processes of the system by name, and where their records lie.
var records = map[string][]string{
	"gateway": {"run", "gateway.json"}, "accounts": {"run", "accounts.json"}, "orders": {"run", "orders.json"},
	"binlogs": {"run", "binlogs.json"}, "supervisor": {"run", "supervisor.json"}, "nats": {"nats", "process.json"},
	"primary": {"mariadb", "primary", "process.json"}, "replica": {"mariadb", "replica", "process.json"},
}

func (s *system) processes() (map[string]*proc.Process, error) {
	found := map[string]*proc.Process{}
	for name, record := range records {
		process, err := s.Process(record...)
		if err != nil {
			return nil, err
		}
		found[name] = process
	}
	return found, nil
}
