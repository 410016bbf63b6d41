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

// PortsFrom reads the ports from an environment. It reports all mistakes in one error. Two owners of one port are a mistake, too.
func PortsFrom(getenv func(string) string) (Ports, error) {
	var ports Ports
	var problems []error
	variableOf := map[int]string{}
	for _, port := range ports.List() {
		*port.Number = port.Default
		if text := getenv(port.Variable); text != "" {
			number, err := strconv.Atoi(text)
			if err != nil || number < 1 || number > 65535 {
				problems = append(problems, fmt.Errorf("%s is %q, which is not a port", port.Variable, text))
				continue
			}
			*port.Number = number
		}
		if other, taken := variableOf[*port.Number]; taken {
			problems = append(problems, fmt.Errorf("%s and %s are both %d", other, port.Variable, *port.Number))
		}
		variableOf[*port.Number] = port.Variable
	}
	return ports, errors.Join(problems...)
}

// CheckPorts fails if another program listens on a port of this stack. The error names each such port and how to choose another one.
// runs reports whether the part of the stack that owns a port runs; if it does, it listens there itself. unused are variables of ports
// on which nothing will listen.
func (s Stack) CheckPorts(ctx context.Context, runs func(owner string) bool, unused ...string) error {
	record, known, _ := s.Recorded() // where that fails, nobody knows where the parts that run listen
	recorded := record.Ports.List()
	var problems []error
	for i, port := range s.Ports.List() {
		if slices.Contains(unused, port.Variable) || runs(port.Owner) && (!known || *recorded[i].Number == *port.Number) {
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
