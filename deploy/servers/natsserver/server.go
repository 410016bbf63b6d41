package natsserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oms.internal/servers/proc"
)

// Options say how to start a NATS server. The zero value is for a test: without users and without storage.
type Options struct {
	// Detached makes a server that lives on after this process, with its files in Dir. A later Start finds the server that runs.
	// A server that is not detached ends with this process, and its folder, which is made in Dir, is removed.
	Detached bool
	Dir      string

	Port int // on 127.0.0.1; 0 means a free one

	// Config is the server's configuration. It holds no addresses, because Start gives them on the command line. If ConfigFile is
	// not empty, that file is used instead.
	Config     string
	ConfigFile string
	// Fingerprint stands for the content of the configuration. A detached server that runs with another one is restarted.
	Fingerprint string

	// Servers is the argument of the same name of Build.
	Servers string
}

// Server is a NATS server. Its address and storage stay the same over Stop, Kill and Restart. The methods of its process stop it,
// kill it, and make it hang.
type Server struct {
	*proc.Process
	port    int
	command proc.Command
	reaper  *proc.Reaper
}

// Start starts a server and returns when it answers.
func Start(ctx context.Context, options Options) (*Server, error) {
	server, err := prepare(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if err := server.start(ctx); err != nil {
		if !options.Detached {
			err = errors.Join(err, server.Close())
		}
		return nil, err
	}
	return server, nil
}

func prepare(ctx context.Context, options Options) (*Server, error) {
	binary, err := Build(ctx, options.Servers)
	if err != nil {
		return nil, err
	}
	server := &Server{port: options.Port}
	if server.port == 0 {
		if server.port, err = proc.FreePort(); err != nil {
			return nil, err
		}
	}
	dir := options.Dir
	if !options.Detached {
		if dir, err = os.MkdirTemp(options.Dir, "oms-nats-"); err != nil {
			return nil, err
		}
		if server.reaper, err = proc.StartReaper(proc.RemoveDirectories, dir); err != nil {
			return nil, err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	config := options.ConfigFile
	if config == "" {
		config = filepath.Join(dir, "nats.conf")
		if err := os.WriteFile(config, []byte(options.Config), 0o600); err != nil {
			return nil, err
		}
	}
	server.command = proc.Command{
		Name: "nats", Path: binary, Dir: dir, Log: filepath.Join(dir, "nats.log"), Env: []string{"TZ=UTC"},
		Args: []string{
			"--config", config, "--addr", "127.0.0.1", "--port", fmt.Sprint(server.port),
			"--store_dir", filepath.Join(dir, "store"),
		},
	}
	if options.Detached {
		server.command.Record = proc.RecordIn(dir)
		server.command.Fingerprint = strings.Join(append(server.command.Args, binary, options.Fingerprint), " ")
	}
	return server, nil
}

// start also replaces a server that hangs. All that it acknowledged is on its disk.
func (s *Server) start(ctx context.Context) (err error) {
	if s.Process, _, err = proc.Ensure(ctx, s.command); err != nil {
		return err
	}
	if s.Hangs(ctx, s.ping) {
		if err := s.Stop(ctx); err != nil {
			return err
		}
		if s.Process, err = proc.Start(s.command); err != nil {
			return err
		}
	}
	return proc.Await(ctx, "NATS server", s.Process, s.ping)
}

func (s *Server) ping(ctx context.Context) error { return Ping(ctx, s.Addr()) }

// Ping succeeds if the server at an address sends its greeting within a second. A connection alone would prove nothing: the port of a
// paused server accepts, too.
func Ping(ctx context.Context, addr string) error {
	dialer := net.Dialer{Timeout: time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "INFO ") {
		err = fmt.Errorf("%s answers, but is no NATS server", addr)
	}
	return err
}

// Addr returns the server's host:port.
func (s *Server) Addr() string { return proc.Loopback(s.port) }

// URL returns the server's address in the form of the setting NATS_URL.
func (s *Server) URL() string { return "nats://" + s.Addr() }

// Restart starts a server that was stopped or killed. If the server runs, Restart stops it first. It returns when the server
// answers.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return s.start(ctx)
}

// Close kills the server. If the server is not detached, Close also removes the server's files.
func (s *Server) Close() error {
	err := s.Kill()
	if s.reaper != nil {
		err = errors.Join(err, s.reaper.Finish())
	}
	return err
}
