// Package native runs OMS without containers: a MariaDB pair from the system's packages, nats-server, and the three services. Each is a
// process that outlives the command which started it. A record names each process with its pid and start time, so that
// commands only ever end processes that were started here.
package native

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/stack"
)

// Runner starts, shows and ends the stack.
type Runner struct {
	stack   stack.Stack
	out     io.Writer
	saying  sync.Mutex
	program string // of the supervisor

	stopped map[string]proc.Command // what StopServices ended, for StartServices
}

// New returns a runner that reports on out.
func New(s stack.Stack, out io.Writer) *Runner {
	return &Runner{stack: s, out: out}
}

// Supervised gives the stack a supervisor: the program oms, which starts processes again that end by themselves. "" means none.
func (r *Runner) Supervised(program string) *Runner {
	r.program = program
	return r
}

// say prints a line. It may be called by several goroutines, because services are built while servers start.
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
	record string // file that names the process
	log    string
	ports  []int
}

// migration is the record of the process that migrates the tables of a service.
func (p part) migration() string { return strings.TrimSuffix(p.record, ".json") + "-migration.json" }

// migrationLog is where that process writes to, and nobody else, so that what it says is found.
func (p part) migrationLog() string { return strings.TrimSuffix(p.log, ".log") + "-migration.log" }

// parts returns all parts in the order of starting.
func (r *Runner) parts() []part {
	ports := r.stack.Ports
	server := func(name, dir, log string, port int) part {
		return part{name: name, record: proc.RecordIn(dir), log: filepath.Join(dir, log), ports: []int{port}}
	}
	service := func(name string, port, admin int) part {
		return part{
			name: name, record: filepath.Join(r.runDir(), name+".json"), log: filepath.Join(r.logDir(), name+".log"),
			ports: []int{port, admin},
		}
	}
	parts := []part{
		server("primary", filepath.Join(r.pairDir(), "primary"), "server.log", ports.Primary),
		server("replica", filepath.Join(r.pairDir(), "replica"), "server.log", ports.Replica),
		server("nats", r.natsDir(), "nats.log", ports.NATS),
		{name: "binlogs", record: filepath.Join(r.runDir(), "binlogs.json"), log: filepath.Join(r.logDir(), "binlogs.log")},
		service("orders", ports.Orders, ports.OrdersAdmin),
		service("accounts", ports.Accounts, ports.AccountsAdmin),
		service("gateway", ports.Gateway, ports.GatewayAdmin),
	}
	if r.program != "" {
		parts = append(parts, r.supervisor())
	}
	return parts
}

// named returns the part with this name.
func (r *Runner) named(name string) part {
	all := r.parts()
	return all[slices.IndexFunc(all, func(part part) bool { return part.name == name })]
}

// servers returns the parts whose programs are not OMS's, in the order of starting.
func (r *Runner) servers() []part { return append(r.databases(), r.named("nats")) }

func (r *Runner) databases() []part { return []part{r.named("primary"), r.named("replica")} }

// services returns the parts that answer clients, in the order of starting.
func (r *Runner) services() []part {
	return []part{r.named("orders"), r.named("accounts"), r.named("gateway")}
}

// supervisor is the part that keeps the others alive. It is the last to start and the first to end.
func (r *Runner) supervisor() part {
	return part{name: "supervisor", record: filepath.Join(r.runDir(), "supervisor.json"), log: filepath.Join(r.logDir(), "supervisor.log")}
}

// Running returns the running processes of the stack by name.
func (r *Runner) Running() (map[string]*proc.Process, error) {
	running := map[string]*proc.Process{}
	for _, part := range r.parts() {
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

// Runs reports whether any process of the stack runs.
func (r *Runner) Runs(context.Context) (bool, error) {
	running, err := r.Running()
	return len(running) > 0, err
}
