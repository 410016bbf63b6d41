// Package native runs OMS without containers: a MariaDB pair from the system's packages, nats-server, and the three
// binaries, each a process of its own that outlives the command which started it. Every process is remembered with its
// start time, so that only what was started here is ever ended.
package native

import (
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/stack"
)

// Runner starts, shows and ends the native stack.
type Runner struct {
	stack  stack.Stack
	out    io.Writer
	saying sync.Mutex
}

// New returns a runner that reports on out.
func New(s stack.Stack, out io.Writer) *Runner {
	return &Runner{stack: s, out: out}
}

// say prints a line; the build does so while the servers start.
func (r *Runner) say(format string, arguments ...any) {
	r.saying.Lock()
	defer r.saying.Unlock()
	_, _ = fmt.Fprintf(r.out, format+"\n", arguments...)
}

func (r *Runner) pairDir() string { return filepath.Join(r.stack.Data(), "mariadb") }
func (r *Runner) natsDir() string { return filepath.Join(r.stack.Data(), "nats") }
func (r *Runner) binDir() string  { return filepath.Join(r.stack.Data(), "bin") }
func (r *Runner) logDir() string  { return filepath.Join(r.stack.Data(), "logs") }
func (r *Runner) runDir() string  { return filepath.Join(r.stack.Data(), "run") }

// part is one process of the stack.
type part struct {
	name   string
	record string // the file that remembers the process
	log    string
	ready  string // URL that answers 200 when it is ready; empty for servers that are not ours
	ports  []int
}

// parts returns all of them in the order of starting.
func (r *Runner) parts(ports stack.Ports) []part {
	server := func(name, dir, log string, port int) part {
		return part{name: name, record: filepath.Join(dir, "process.json"), log: filepath.Join(dir, log), ports: []int{port}}
	}
	service := func(name string, port, admin int) part {
		return part{
			name: name, record: filepath.Join(r.runDir(), name+".json"), log: filepath.Join(r.logDir(), name+".log"),
			ready: fmt.Sprintf("http://127.0.0.1:%d/readyz", admin), ports: []int{port, admin},
		}
	}
	return []part{
		server("primary", filepath.Join(r.pairDir(), "primary"), "server.log", ports.Primary),
		server("replica", filepath.Join(r.pairDir(), "replica"), "server.log", ports.Replica),
		server("nats", r.natsDir(), "nats.log", ports.NATS),
		service("orders", ports.Orders, ports.OrdersAdmin),
		service("accounts", ports.Accounts, ports.AccountsAdmin),
		service("gateway", ports.Gateway, ports.GatewayAdmin),
	}
}

// Running returns the processes of the stack that run, by name.
func (r *Runner) Running() (map[string]*proc.Process, error) {
	running := map[string]*proc.Process{}
	for _, part := range r.parts(r.stack.Ports) {
		process, err := proc.Find(part.record)
		if err != nil {
			return nil, err
		}
		if process != nil {
			running[part.name] = process
		}
	}
	return running, nil
}
