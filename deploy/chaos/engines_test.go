package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"oms.internal/servers/dbpair"

	"oms.internal/deploy/internal/secret"
)

// engine is what differs between MariaDB's servers, which `oms up` started, and MySQL's, in containers.
type engine interface {
	server(number int) body
	failover(ctx context.Context) error
	rejoin(ctx context.Context) error
	// replicate are the statements that let a replica go on with the delay, through the link where that is possible.
	replicate(through *link, delay int) ([]string, error)
	// words are the words for a replica, and the queries for what a server has and for waiting for it.
	words() (replica, position, wait string)
}

// mariadb is worked with as an operator works with it: with the commands behind the Makefile.
type mariadb struct {
	system  *system
	servers [2]*server
}

func newMariaDB(s *system, answers [2]func(context.Context) error) *mariadb {
	m := &mariadb{system: s}
	for i, name := range []string{"primary", "replica"} {
		m.servers[i] = newServer(filepath.Join(s.Data, "mariadb", name), "server.log", answers[i])
	}
	return m
}

func (m *mariadb) server(number int) body             { return mariadbServer{m.servers[number], m.system} }
func (m *mariadb) failover(ctx context.Context) error { return m.system.OMS(ctx, "failover") }
func (m *mariadb) rejoin(ctx context.Context) error   { return m.system.OMS(ctx, "rejoin") }

func (m *mariadb) replicate(through *link, delay int) ([]string, error) {
	host, port, err := net.SplitHostPort(through.addr())
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	return []string{"STOP SLAVE", fmt.Sprintf("CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%d, MASTER_USE_GTID=slave_pos, "+
		"MASTER_CONNECT_RETRY=1, MASTER_DELAY=%d", host, number, delay), "START SLAVE"}, err
}

func (m *mariadb) words() (replica, position, wait string) {
	return "SLAVE", "SELECT @@GLOBAL.gtid_binlog_pos", "SELECT MASTER_GTID_WAIT(?, 0.5)"
}

// mariadbServer is a database server of the pair that `oms up` started.
type mariadbServer struct {
	*server

	system *system
}

// Restart starts the server in the role that it has now, as the supervisor does. The role that it was started in may be another one.
func (s mariadbServer) Restart(ctx context.Context) error {
	root, rootErr := s.system.Secret("mysql-root")
	replicator, replicatorErr := s.system.Secret("mysql-replicator")
	if err := errors.Join(rootErr, replicatorErr); err != nil {
		return err
	}
	pair, err := dbpair.Open(dbpair.Options{
		Dir: filepath.Dir(filepath.Dir(s.record)), PrimaryPort: s.system.Port("PRIMARY_PORT"), ReplicaPort: s.system.Port("REPLICA_PORT"),
		RootPassword: root, ReplicatorPassword: replicator, BufferPool: "128M",
	})
	if err != nil {
		return err
	}
	for _, one := range []*dbpair.Server{pair.Primary, pair.Replica} {
		if one.Name() == s.name {
			return one.Restart(ctx)
		}
	}
	return fmt.Errorf("there is no server %s", s.name)
}

// mysqlServers takes the place of the MariaDB servers, on their ports.
type mysqlServers struct {
	pair  *dbpair.Pair
	ports [2]int
}

func newMySQL(ctx context.Context, s *system, instead *mariadb) (*mysqlServers, error) {
	if err := errors.Join(instead.servers[1].Kill(), instead.servers[0].Kill()); err != nil {
		return nil, err
	}
	root, rootErr := s.Secret("mysql-root")
	replicator, replicatorErr := s.Secret("mysql-replicator")
	users, usersErr := secret.Statements("../mysql/users.sql.template", filepath.Join(s.Data, "secrets"))
	if err := errors.Join(rootErr, replicatorErr, usersErr); err != nil {
		return nil, err
	}
	m := &mysqlServers{ports: [2]int{s.Port("PRIMARY_PORT"), s.Port("REPLICA_PORT")}}
	var err error
	m.pair, err = dbpair.Start(ctx, dbpair.Options{
		Engine: dbpair.MySQL, PrimaryPort: m.ports[0], ReplicaPort: m.ports[1], RootPassword: root, ReplicatorPassword: replicator,
		Bootstrap: users,
	})
	return m, err
}

func (m *mysqlServers) server(number int) body {
	if m.pair.Primary.Port() == m.ports[number] {
		return m.pair.Primary
	}
	return m.pair.Replica
}

func (m *mysqlServers) failover(ctx context.Context) error { return m.pair.Failover(ctx) }
func (m *mysqlServers) rejoin(ctx context.Context) error   { return m.pair.Rejoin(ctx) }

// replicate leaves the source as it is: the container would not reach a proxy on this machine.
func (m *mysqlServers) replicate(_ *link, delay int) ([]string, error) {
	return []string{"STOP REPLICA", fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_DELAY=%d", delay), "START REPLICA"}, nil
}

func (m *mysqlServers) words() (replica, position, wait string) {
	return "REPLICA", "SELECT @@GLOBAL.gtid_executed", "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 0.5)"
}
