package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// Ports are where the processes listen on this machine. Containers publish all but those on which the gateway asks accounts
// and orders.
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

// Port is one of the ports: what listens there, and the environment variable that changes it.
type Port struct {
	Owner    string
	Variable string
	Default  int
	Number   *int
	Public   bool // listens on all addresses rather than on 127.0.0.1 only
}

// List returns all ports; Number points into p.
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

// PortsFrom reads the ports from an environment. All mistakes come back as one error, two owners of one port included.
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

// CheckFree returns an error that names each port that something listens on and how to choose another. Ports for which
// ours returns true, because our own process listens there, are not looked at.
func (p *Ports) CheckFree(ctx context.Context, ours func(Port) bool) error {
	var problems []error
	for _, port := range p.List() {
		if ours(port) {
			continue
		}
		host := "127.0.0.1"
		if port.Public {
			host = ""
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(*port.Number)))
		if err != nil {
			problems = append(problems, fmt.Errorf("port %d (%s) is taken; set %s to another: %w",
				*port.Number, port.Owner, port.Variable, err))
			continue
		}
		if err := listener.Close(); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}
