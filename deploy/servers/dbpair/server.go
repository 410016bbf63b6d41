package dbpair

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os/exec"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/servers/proc"
)

// Server is one database server of a pair. Its address and data stay the same over Stop, Kill and Restart.
type Server struct {
	name         string // see Name
	port         int
	rootPassword string
	body         body
}

// body is what a server runs in.
type body interface {
	proc.Body
	start(context.Context) error // returns at once, also when it already runs
	stop(context.Context) error  // orderly
	kill() error
	pause() error
	resume() error
	// demote makes a server that does not run come back read-only.
	demote(context.Context) error
	// client is a program of the engine that logs in to this server as root; the password is in MYSQL_PWD.
	client(ctx context.Context, program string, arguments ...string) (*exec.Cmd, error)
}

// Name is what the server was first started as, "primary" or "replica". A failover does not change it: it is the name of its
// folder or container.
func (s *Server) Name() string { return s.name }

// title is the name in messages, where "primary" alone would be taken for the role.
func (s *Server) title() string { return "server " + s.name }

// Port is where the server listens on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// Addr is the server's host:port.
func (s *Server) Addr() string { return proc.Loopback(s.port) }

// Open returns a pool of connections for a user; database may be empty. It does not connect yet.
func (s *Server) Open(user, password, database string) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr, config.DBName = "tcp", s.Addr(), database
	config.User, config.Passwd = user, password
	config.ParseTime, config.InterpolateParams = true, true
	config.Timeout = 5 * time.Second
	// Failing connections are this package's daily bread and reported by it.
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", s.name, err)
	}
	return sql.OpenDB(connector), nil
}

// OpenRoot returns a pool of connections of the user root, who may do everything on this one server.
func (s *Server) OpenRoot() (*sql.DB, error) { return s.Open("root", s.rootPassword, "") }

// Stop shuts the server down in order and waits for its end.
func (s *Server) Stop(ctx context.Context) error { return s.body.stop(ctx) }

// Kill ends the server as a crash would.
func (s *Server) Kill() error { return s.body.kill() }

// Pause makes the server hang: connections stay open, the port accepts, nothing answers.
func (s *Server) Pause() error { return s.body.pause() }

// Continue ends a pause.
func (s *Server) Continue() error { return s.body.resume() }

// Restart starts a server that was stopped or killed; a running one is stopped first. It returns when the server
// answers. A replica goes on replicating by itself.
func (s *Server) Restart(ctx context.Context) error {
	alive, err := s.body.Lives()
	if err != nil {
		return err
	}
	if alive {
		if err := s.Stop(ctx); err != nil {
			return err
		}
	}
	return s.start(ctx)
}

func (s *Server) start(ctx context.Context) error {
	if err := s.body.start(ctx); err != nil {
		return err
	}
	return proc.Await(ctx, s.name, s.body, s.ping)
}

// ping tells whether root can log in over TCP, which is when the server is ready for others too.
func (s *Server) ping(ctx context.Context) error {
	return s.asRoot(func(db *sql.DB) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return db.PingContext(ctx)
	})
}

func (s *Server) asRoot(do func(*sql.DB) error) error {
	db, err := s.OpenRoot()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing to lose
	if err := do(db); err != nil {
		return fmt.Errorf("%s %s: %w", s.name, net.JoinHostPort("127.0.0.1", fmt.Sprint(s.port)), err)
	}
	return nil
}

// limitLockWait bounds, to lockWait, how long the following statements of the connection wait for others.
const (
	lockWait      = 10 * time.Second
	limitLockWait = "SET SESSION lock_wait_timeout = 10"
)

// execToEnd is exec for statements that must not take effect after a caller who gave up has undone them: it waits for their
// end, which limitLockWait brings, also once ctx has ended.
func (s *Server) execToEnd(ctx context.Context, statements ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(len(statements))*lockWait)
	defer cancel()
	return s.exec(ctx, statements...)
}

// exec runs statements as root, in order, on one connection.
func (s *Server) exec(ctx context.Context, statements ...string) error {
	return s.asRoot(func(db *sql.DB) error {
		db.SetMaxOpenConns(1)
		for _, statement := range statements {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}
