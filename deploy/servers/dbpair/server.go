package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/servers/proc"
)

// Server is one database server of a pair. Its address and data stay the same over Stop, Kill and Restart.
type Server struct {
	instance
	name         string // see Name
	port         int
	rootPassword string
}

// instance is what a server runs in: a process or a container.
type instance interface {
	proc.Instance
	// Stop shuts the server down in order and waits for its end.
	Stop(ctx context.Context) error
	// Kill ends the server as a crash would.
	Kill() error
	// Pause makes the server hang: connections stay open, the port accepts, nothing answers.
	Pause() error
	// Continue ends a pause.
	Continue() error
	// start returns at once. It does nothing if the server runs already.
	start(ctx context.Context) error
	// demote makes a server that does not run come back read-only.
	demote(ctx context.Context) error
	// client returns a program of the engine that logs in to this server as root, with the password in MYSQL_PWD.
	client(ctx context.Context, program string, arguments ...string) (*exec.Cmd, error)
}

// Name returns the name of the server's folder or container: "primary" or "replica", after its first role. A failover does not change
// it.
func (s *Server) Name() string { return s.name }

// String is the name in messages, where "primary" alone would be taken for the role.
func (s *Server) String() string { return "server " + s.name }

// Port returns the port of 127.0.0.1 on which the server listens.
func (s *Server) Port() int { return s.port }

// Addr returns the server's host:port.
func (s *Server) Addr() string { return proc.Loopback(s.port) }

// Open returns a pool of connections for a user. database may be empty. Open does not connect yet.
func (s *Server) Open(user, password, database string) (*sql.DB, error) {
	db, err := openAt(s.Addr(), user, password, database)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", s.name, err)
	}
	return db, nil
}

// OpenRootAt is OpenRoot for the server at an address.
func OpenRootAt(addr, password string) (*sql.DB, error) {
	db, err := openAt(addr, "root", password, "")
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return db, nil
}

func openAt(addr, user, password, database string) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr, config.DBName = "tcp", addr, database
	config.User, config.Passwd = user, password
	config.ParseTime, config.InterpolateParams = true, true
	config.Timeout = 5 * time.Second
	// Failing connections are normal here, and this package reports them itself.
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// OpenRoot returns a pool of connections of the user root, who may do everything on this server.
func (s *Server) OpenRoot() (*sql.DB, error) { return s.Open("root", s.rootPassword, "") }

// Restart starts a server that was stopped or killed. If the server runs, Restart stops it first. It returns when the server answers. A
// replica goes on replicating by itself.
func (s *Server) Restart(ctx context.Context) error {
	running, err := s.Running()
	if err != nil {
		return err
	}
	if running {
		if err := s.Stop(ctx); err != nil {
			return err
		}
	}
	return s.start(ctx)
}

// errHangs says of a server that waiting does not help, and that no start kills it: it may hold what the other server lacks.
var errHangs = errors.New("hangs: it runs and does not answer")

func (s *Server) start(ctx context.Context) error {
	if err := s.instance.start(ctx); err != nil {
		return err
	}
	if process, local := s.instance.(*mariadbProcess); local && process.Hangs(ctx, s.ping) {
		return fmt.Errorf("%s %w", s.name, errHangs)
	}
	return proc.Await(ctx, s.name, s, s.ping)
}

// ping succeeds if root can log in over TCP. Then the server is ready for others, too.
func (s *Server) ping(ctx context.Context) error {
	return s.asRoot(func(db *sql.DB) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		err := db.PingContext(ctx)
		const accessDenied = 1045
		if refused, is := errors.AsType[*mysql.MySQLError](err); is && refused.Number == accessDenied {
			return errors.Join(err, proc.ErrFinal)
		}
		return err
	})
}

func (s *Server) asRoot(do func(*sql.DB) error) error {
	db, err := s.OpenRoot()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is lost
	if err := do(db); err != nil {
		return fmt.Errorf("%s %s: %w", s.name, s.Addr(), err)
	}
	return nil
}

// exec executes statements as root, in order, on one connection.
func (s *Server) exec(ctx context.Context, statements ...string) error {
	return s.asRoot(func(db *sql.DB) error {
		db.SetMaxOpenConns(1)
		return execAll(ctx, db, statements...)
	})
}

const (
	lockWait = 10 * time.Second
	// limitLockWait lets the statements that follow it on its connection wait for locks no longer than lockWait.
	limitLockWait = "SET SESSION lock_wait_timeout = 10"
)

// execToEnd is exec that goes on after ctx has ended, so that no statement takes effect after a caller that gave up has undone it. The
// first statement must be limitLockWait, which bounds the wait.
func (s *Server) execToEnd(ctx context.Context, statements ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(len(statements))*lockWait)
	defer cancel()
	return s.exec(ctx, statements...)
}
