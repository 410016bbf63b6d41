package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"oms.internal/servers/proc"
)

// system is two database servers and NATS, as `oms up` starts them, and two instances of each service, which reach them
// through proxies.
type system struct {
	data    string // folder
	command string // path of the program oms
	env     []string
	ports   map[string]int
	reaper  *exec.Cmd
	pipe    io.Closer

	links     *links
	databases *databases
	nats      *server
	accounts  []*instance
	orders    []*instance
	gateways  []*instance
}

func newSystem() (*system, error) {
	// A short path: it will hold Unix sockets.
	data, err := os.MkdirTemp("", "oms")
	if err != nil {
		return nil, err
	}
	s := &system{data: data, command: filepath.Join(data, "oms"), ports: map[string]int{}}
	s.env = append(os.Environ(), "OMS_DATA="+s.data, "MODE=native",
		// What the shell says about a system of its own does not concern this one.
		"ACCOUNTS_DIRECTORY=", "TOKEN_LIFETIME=", "REFRESH_LIFETIME=", "REFRESH_REPEAT_WINDOW=", "TIME_ZONE=", "TLS_CERT_FILE=", "TLS_KEY_FILE=",
		"UPSTREAM_TIMEOUT=", "REVOCATION_MAX_STALENESS=", "TRUSTED_PROXIES=", "CORS_ALLOWED_ORIGINS=", "CORS_ALLOWED_HEADERS=", "DRAIN_TIME=",
		// The load of these tests comes from one address.
		"RATE_LIMIT_ADDRESS=0", "RATE_LIMIT_MEMBER=0", "CONNECTIONS_PER_ADDRESS=0")
	for _, variable := range []string{
		"GATEWAY_PORT", "GATEWAY_ADMIN_PORT", "ACCOUNTS_PORT", "ACCOUNTS_ADMIN_PORT", "ORDERS_PORT", "ORDERS_ADMIN_PORT",
		"PRIMARY_PORT", "REPLICA_PORT", "NATS_PORT",
	} {
		port, err := proc.FreePort()
		if err != nil {
			return nil, err
		}
		s.ports[variable] = port
		s.env = append(s.env, variable+"="+strconv.Itoa(port))
	}
	return s, s.startReaper()
}

// startReaper starts a process that ends the database servers and NATS, which outlive the command that started them, and
// removes the data. It waits for the end of a pipe that only this process holds open, and so works after a crash too.
func (s *system) startReaper() error {
	// #nosec G204 -- our own files
	s.reaper = exec.Command("sh", "-c", `cat >/dev/null; if [ -x "$1" ]; then "$1" clean; fi; rm -rf "$2"`, "reaper", s.command, s.data)
	s.reaper.Env, s.reaper.SysProcAttr = s.env, &syscall.SysProcAttr{Setsid: true}
	var err error
	if s.pipe, err = s.reaper.StdinPipe(); err != nil {
		return err
	}
	return s.reaper.Start()
}

// start starts the system with `oms up`, takes the three services away that it started, and starts two instances of each
// with the same settings but for the addresses.
func (s *system) start(ctx context.Context) error {
	if err := s.execute(ctx, "go", "build", "-o", s.command, "../cmd/oms"); err != nil {
		return err
	}
	if err := s.oms(ctx, "up"); err != nil {
		return err
	}
	settings := map[string][]string{}
	for _, name := range []string{"gateway", "accounts", "orders"} {
		process, err := proc.Find(filepath.Join(s.data, "run", name+".json"))
		if err != nil || process == nil {
			return errors.Join(fmt.Errorf("%s does not run", name), err)
		}
		if settings[name], err = environmentOf(process.PID()); err != nil {
			return err
		}
		if err := process.Stop(ctx); err != nil {
			return err
		}
	}
	s.nats = newServer(filepath.Join(s.data, "nats"), "nats.log", greets(s.address("NATS_PORT")))
	var err error
	if s.databases, err = newDatabases(ctx, s); err != nil {
		return err
	}
	if s.links, err = newLinks(s); err != nil {
		return err
	}
	if err := s.databases.relink(ctx); err != nil {
		return err
	}
	return s.startInstances(ctx, settings)
}

func (s *system) startInstances(ctx context.Context, settings map[string][]string) error {
	hosts := "MYSQL_HOSTS=" + s.links.database[0].addr() + "," + s.links.database[1].addr()
	service := func(name string, number int) (*instance, error) {
		return newInstance(s, fmt.Sprintf("%s-%d", name, number), name, settings[name], hosts,
			"NATS_URL=nats://"+s.links.natsOfServices.addr())
	}
	for number := 1; number <= 2; number++ {
		accounts, err := service("accounts", number)
		if err != nil {
			return err
		}
		orders, err := service("orders", number)
		if err != nil {
			return err
		}
		s.accounts, s.orders = append(s.accounts, accounts), append(s.orders, orders)
	}
	for number := 1; number <= 2; number++ {
		gateway, err := newInstance(s, fmt.Sprintf("gateway-%d", number), "gateway", settings["gateway"],
			"NATS_URL=nats://"+s.links.natsOfGateways.addr(), "ACCOUNTS_URL="+urls(s.accounts), "ORDERS_URL="+urls(s.orders))
		if err != nil {
			return err
		}
		s.gateways = append(s.gateways, gateway)
	}
	if err := s.links.behind(s.accounts, s.orders); err != nil {
		return err
	}
	var problems []error
	for _, one := range s.instances() {
		problems = append(problems, one.start())
	}
	return errors.Join(errors.Join(problems...), s.awaitReady(ctx))
}

func (s *system) instances() []*instance {
	return append(append(append([]*instance{}, s.orders...), s.accounts...), s.gateways...)
}

// awaitReady waits until every instance says that it is ready.
func (s *system) awaitReady(ctx context.Context) error {
	for _, one := range s.instances() {
		if err := one.awaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// whole waits until every instance is ready and the replica has what the primary has.
func (s *system) whole(ctx context.Context) error {
	return errors.Join(s.awaitReady(ctx), s.databases.caughtUp(ctx))
}

// close ends everything, on the way that a crash of this process takes too.
func (s *system) close() error {
	var problems []error
	for _, one := range s.instances() {
		problems = append(problems, one.kill())
	}
	if s.databases != nil {
		problems = append(problems, s.databases.close())
	}
	if s.links != nil {
		s.links.close()
	}
	problems = append(problems, s.pipe.Close(), s.reaper.Wait())
	return errors.Join(problems...)
}

func (s *system) address(variable string) string {
	return fmt.Sprintf("127.0.0.1:%d", s.ports[variable])
}

// secret reads one of the passwords that `oms up` made.
func (s *system) secret(name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(s.data, "secrets", name))
	return strings.TrimSpace(string(content)), err
}

// oms runs a command of the program behind the Makefile, as an operator would.
func (s *system) oms(ctx context.Context, arguments ...string) error {
	return s.execute(ctx, s.command, arguments...)
}

// execute runs a program; what it printed is part of the error.
func (s *system) execute(ctx context.Context, name string, arguments ...string) error {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Env = s.env
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), arguments, err, output)
	}
	return nil
}

// urls are the addresses of instances as a gateway's settings take them.
func urls(instances []*instance) string {
	var all []string
	for _, one := range instances {
		all = append(all, one.url)
	}
	return strings.Join(all, ",")
}
