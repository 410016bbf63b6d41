package chaos

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"oms.internal/deploy/internal/systemtest"
)

// system is two database servers and NATS, as `make up` starts them, and two instances of each service, which reach them
// through proxies.
type system struct {
	*systemtest.System

	links     *links
	databases *databases
	nats      *server
	accounts  []*systemtest.Instance
	orders    []*systemtest.Instance
	gateways  []*systemtest.Instance
}

func newSystem() (*system, error) {
	// The load of these tests comes from one address.
	settings := []string{"RATE_LIMIT_ADDRESS=0", "RATE_LIMIT_MEMBER=0", "CONNECTIONS_PER_ADDRESS=0"}
	if !whole() { // On a busy machine a request may take longer than a client should wait.
		settings = append(settings, "REQUEST_TIMEOUT=16s", "UPSTREAM_TIMEOUT=20s")
	}
	started, err := systemtest.New(settings...)
	return &system{System: started}, err
}

// start starts the system, takes the three services away that `make up` started, and starts two instances of each with the
// same settings but for the addresses.
func (s *system) start(ctx context.Context) error {
	if err := s.Up(ctx); err != nil {
		return err
	}
	for service, instances := range map[string]*[]*systemtest.Instance{"accounts": &s.accounts, "orders": &s.orders, "gateway": &s.gateways} {
		if err := s.replace(ctx, service, instances); err != nil {
			return err
		}
	}
	s.nats = newServer(filepath.Join(s.Data, "nats"), "nats.log", greets(s.Address("NATS_PORT")))
	var err error
	if s.databases, err = newDatabases(ctx, s); err != nil {
		return err
	}
	if s.links, err = newLinks(s); err != nil {
		return err
	}
	if err := errors.Join(s.databases.relink(ctx), s.links.behind(s.accounts, s.orders)); err != nil {
		return err
	}
	return s.startInstances(ctx)
}

// replace prepares two instances of a service instead of the one that runs.
func (s *system) replace(ctx context.Context, service string, instances *[]*systemtest.Instance) error {
	for number := 1; number <= 2; number++ {
		one, err := s.NewInstance(fmt.Sprintf("%s-%d", service, number), service)
		if err != nil {
			return err
		}
		*instances = append(*instances, one)
	}
	original, err := s.Service(service)
	if err != nil {
		return err
	}
	return original.Stop(ctx)
}

func (s *system) startInstances(ctx context.Context) error {
	for _, one := range append(append([]*systemtest.Instance{}, s.accounts...), s.orders...) {
		one.Change("MYSQL_HOSTS="+s.links.database[0].addr()+","+s.links.database[1].addr(), "NATS_URL=nats://"+s.links.natsOfServices.addr())
	}
	for _, one := range s.gateways {
		one.Change("NATS_URL=nats://"+s.links.natsOfGateways.addr(), "ACCOUNTS_URL="+urls(s.accounts), "ORDERS_URL="+urls(s.orders))
	}
	return group(s.instances()).Restart(ctx)
}

func (s *system) instances() []*systemtest.Instance {
	return append(append(append([]*systemtest.Instance{}, s.orders...), s.accounts...), s.gateways...)
}

// awaitReady waits until every instance says that it is ready.
func (s *system) awaitReady(ctx context.Context) error {
	for _, one := range s.instances() {
		if err := one.AwaitReady(ctx); err != nil {
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
		problems = append(problems, one.Kill())
	}
	if s.databases != nil {
		problems = append(problems, s.databases.close())
	}
	if s.links != nil {
		s.links.close()
	}
	return errors.Join(append(problems, s.Close())...)
}

// urls are the addresses of instances as a gateway's settings take them.
func urls(instances []*systemtest.Instance) string {
	var all []string
	for _, one := range instances {
		all = append(all, one.URL)
	}
	return strings.Join(all, ",")
}
