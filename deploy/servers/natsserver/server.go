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

// Options say how to start a NATS server. The zero value is one for a test, without users and without storage.
type Options struct {
	// Detached makes a server that lives on after this process, with its files in Dir; starting it again finds what
	// runs. Otherwise it ends with this process, and its directory is removed.
	Detached bool
	Dir      string

	Port int // on 127.0.0.1; a free one if 0

	// Config is the server's configuration without addresses, which are given on its command line. ConfigFile is used
	// instead when it is not empty.
	Config     string
	ConfigFile string
	// Fingerprint of what the configuration includes; a detached server that runs with another one is restarted.
	Fingerprint string

	// Servers is the folder of the module that pins the version, as Build takes it.
	Servers string
}

// Server is a NATS server. Its address and storage stay the same over Stop, Kill and Restart.
type Server struct {
	port    int
	command proc.Command
	process *proc.Process
	reaper  *proc.Reaper
}

// Start starts a server and returns when it answers.
func Start(ctx context.Context, options Options) (*Server, error) {
	server, err := prepare(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if err := server.start(ctx); err != nil {
		if options.Detached {
			return nil, err
		}
		return nil, errors.Join(err, server.Close())
	}
	return server, nil
}

func prepare(ctx context.Context, options Options) (*Server, error) {
	binary, err := Build(ctx, options.Servers, os.Stderr)
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

func (s *Server) start(ctx context.Context) error {
	if s.command.Record != "" {
		running, err := proc.Find(s.command.Record)
		if err != nil {
			return err
		}
		switch {
		case running == nil:
		case running.Fingerprint() == s.command.Fingerprint:
			s.process = running
			return nil
		default:
			if err := running.Stop(ctx); err != nil {
				return err
			}
		}
	}
	var err error
	if s.process, err = proc.Start(s.command); err != nil {
		return err
	}
	return proc.Await(ctx, "NATS server", s.process, s.ping)
}

// ping tells whether the server greets. A bare connection would not do: a paused server's port accepts too.
func (s *Server) ping(ctx context.Context) error {
	dialer := net.Dialer{Timeout: time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "INFO ") {
		err = fmt.Errorf("%s answers, but not as a NATS server does", s.Addr())
	}
	return err
}

// Addr is the server's host:port.
func (s *Server) Addr() string { return proc.Loopback(s.port) }

// URL is the server's address as the setting NATS_URL takes it.
func (s *Server) URL() string { return "nats://" + s.Addr() }

// Stop shuts the server down in order and waits for its end.
func (s *Server) Stop(ctx context.Context) error { return s.process.Stop(ctx) }

// Kill ends the server as a crash would.
func (s *Server) Kill() error { return s.process.Kill() }

// Pause makes the server hang: connections stay open, the port accepts, nothing answers.
func (s *Server) Pause() error { return s.process.Pause() }

// Continue ends a pause.
func (s *Server) Continue() error { return s.process.Continue() }

// Restart starts a server that was stopped or killed; a running one is stopped first. It returns when the server answers.
func (s *Server) Restart(ctx context.Context) error {
	if s.process.Alive() {
		if err := s.Stop(ctx); err != nil {
			return err
		}
	}
	return s.start(ctx)
}

// Close kills the server and, unless it is detached, removes everything that was made for it.
func (s *Server) Close() error {
	var err error
	if s.process != nil {
		err = s.process.Kill()
	}
	if s.reaper != nil {
		err = errors.Join(err, s.reaper.Finish())
	}
	return err
}
