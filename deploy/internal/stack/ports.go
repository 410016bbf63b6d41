package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
)

// Ports are the ports of this machine on which the processes listen. Containers publish all of them but Accounts and Orders, which only
// the gateway needs.
type Ports struct {
	Gateway       int `json:"gateway"`
	GatewayAdmin  int `json:"gateway_admin"`
	Accounts      int `json:"accounts"`
	AccountsAdmin int `json:"accounts_admin"`
	Orders        int `json:"orders"`
	OrdersAdmin   int `json:"orders_admin"`
	Primary       int `json:"primary"`
	Replica       int `json:"replica"`
	NATS          int `json:"nats"`
}

// Port describes one of the ports.
type Port struct {
	Owner    string // the part of the stack that listens there
	Variable string // the environment variable that changes it
	Default  int
	Number   *int
	Public   bool // it listens on all addresses, and not only on 127.0.0.1
}

// List returns all ports, always in the same order. Number points into p.
func (p *Ports) List() []Port {
	return []Port{
		{"gateway", "GATEWAY_PORT", 8080, &p.Gateway, true},
		{"gateway", "GATEWAY_ADMIN_PORT", 8081, &p.GatewayAdmin, false},
		{"accounts", "ACCOUNTS_PORT", 9001, &p.Accounts, false},
		{"accounts", "ACCOUNTS_ADMIN_PORT", 9101, &p.AccountsAdmin, false},
		{"orders", "ORDERS_PORT", 9002, &p.Orders, false},
		{"orders", "ORDERS_ADMIN_PORT", 9102, &p.OrdersAdmin, false},
		{"primary", "PRIMARY_PORT", 4406, &p.Primary, false},
		{"replica", "REPLICA_PORT", 5506, &p.Replica, false},
		{"nats", "NATS_PORT", 4222, &p.NATS, false},
	}
}

// PortsFrom reads the ports from an environment. A variable that is not set leaves a port as it was last; an empty one means the default,
// and so does a port of last that is 0. It reports all mistakes in one error. Two owners of one port are a mistake, too, unless the
// environment names neither, because then it was accepted before.
func PortsFrom(lookup Lookup, last Ports) (Ports, error) {
	ports := last
	var problems []error
	type owner struct {
		variable string
		named    bool
	}
	owners := map[int]owner{}
	for _, port := range ports.List() {
		text, named := lookup(port.Variable)
		if text != "" {
			number, err := strconv.Atoi(text)
			if err != nil || number < 1 || number > 65535 {
				problems = append(problems, fmt.Errorf("%s is %q, which is not a port", port.Variable, text))
				continue
			}
			*port.Number = number
		} else if named || *port.Number == 0 {
			*port.Number = port.Default
		}
		if other, taken := owners[*port.Number]; taken && (named || other.named) {
			problems = append(problems, fmt.Errorf("%s and %s are both %d", other.variable, port.Variable, *port.Number))
		}
		owners[*port.Number] = owner{port.Variable, named}
	}
	return ports, errors.Join(problems...)
}

// CheckPorts fails if another program listens on a port of this stack. The error names each such port and how to choose another one.
// listens reports whether a part of the stack runs and listens on a port itself. unused are variables of ports on which nothing will
// listen.
func (s Stack) CheckPorts(ctx context.Context, listens func(owner string, port int) bool, unused ...string) error {
	var problems []error
	for _, port := range s.Ports.List() {
		if slices.Contains(unused, port.Variable) || listens(port.Owner, *port.Number) {
			continue
		}
		problems = append(problems, port.checkFree(ctx))
	}
	return errors.Join(problems...)
}

func (p Port) checkFree(ctx context.Context) error {
	host := "127.0.0.1"
	if p.Public {
		host = ""
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(*p.Number)))
	if err != nil {
		return fmt.Errorf("port %d (%s) is taken; set %s to another: %w", *p.Number, p.Owner, p.Variable, err)
	}
	return listener.Close()
}
