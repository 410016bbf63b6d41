// Package database opens both database servers of the running stack as the user ops, who may read and change nothing.
package database

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// Server is one of the two servers.
type Server struct {
	Name string // "primary" or "replica", after its first role
	Addr string
	DB   *sql.DB
}

// Open returns the servers called primary and replica, in this order. It does not connect yet.
func Open(s stack.Stack) ([]Server, error) {
	password, err := secret.Read(s.Secrets(), "mysql-ops")
	if err != nil {
		return nil, err
	}
	var servers []Server
	for _, one := range []struct {
		name string
		port int
	}{{"primary", s.Ports.Primary}, {"replica", s.Ports.Replica}} {
		config := mysql.NewConfig()
		config.Net, config.Addr = "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(one.port))
		config.User, config.Passwd, config.InterpolateParams = "ops", password, true
		config.Timeout, config.ReadTimeout = 3*time.Second, 30*time.Second
		// The command prints every failure, because it also comes back as an error.
		config.Logger = &mysql.NopLogger{}
		connector, err := mysql.NewConnector(config)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connect to the %s: %w", one.name, err), Close(servers))
		}
		servers = append(servers, Server{Name: one.name, Addr: config.Addr, DB: sql.OpenDB(connector)})
	}
	return servers, nil
}

// Close closes the connections.
func Close(servers []Server) error {
	var problems []error
	for _, server := range servers {
		problems = append(problems, server.DB.Close())
	}
	return errors.Join(problems...)
}
