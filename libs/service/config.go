package service

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"oms.internal/libs/config"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/natsx"
)

// Config is the part of the environment that all services have. A service embeds it into its own configuration.
type Config struct {
	HTTPAddr  string `env:"HTTP_ADDR"`
	AdminAddr string `env:"ADMIN_ADDR"`
	// AdminProfiles opens /debug/pprof on the admin port.
	AdminProfiles   bool          `env:"ADMIN_PROFILES" envDefault:"false"`
	LogLevel        slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s"`
	// RequestTimeout is shorter than the gateway's UPSTREAM_TIMEOUT, so that the service that is slow reports a slow answer
	// itself.
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"4s"`
	// ListenShared lets the next process listen at the same addresses before this one ends, and this one beside the last.
	ListenShared bool `env:"LISTEN_SHARED" envDefault:"false"`
	// DrainTime is how long the process still accepts requests after its end was asked for.
	DrainTime time.Duration `env:"DRAIN_TIME" envDefault:"1s"`

	MySQLHosts           []string      `env:"MYSQL_HOSTS,required,notEmpty"`
	MySQLDatabase        string        `env:"MYSQL_DATABASE"`
	MySQLUser            string        `env:"MYSQL_USER"`
	MySQLPassword        config.Secret `env:"MYSQL_PASSWORD_FILE,file,required"`
	MySQLMigrateUser     string        `env:"MYSQL_MIGRATE_USER"`
	MySQLMigratePassword config.Secret `env:"MYSQL_MIGRATE_PASSWORD_FILE,file"`
	MigrateOnStart       bool          `env:"MIGRATE_ON_START" envDefault:"false"`
	MySQLTLSCAFile       string        `env:"MYSQL_TLS_CA_FILE"`
	// MySQLPatience is how long a primary that only hangs, as on a busy disk, keeps its role.
	MySQLPatience time.Duration `env:"MYSQL_PATIENCE" envDefault:"2s"`
	// MySQLConnections is how many connections for requests the process has to each server at most.
	MySQLConnections int `env:"MYSQL_CONNECTIONS" envDefault:"20"`

	NATSURL       string        `env:"NATS_URL,required,notEmpty"`
	NATSUser      string        `env:"NATS_USER"`
	NATSPassword  config.Secret `env:"NATS_PASSWORD_FILE,file,required"`
	NATSTLSCAFile string        `env:"NATS_TLS_CA_FILE"`
	// EventsReplicas is how many NATS servers keep a stream of events, for the first process that makes it.
	EventsReplicas int `env:"EVENTS_REPLICAS" envDefault:"1"`

	PrincipalKeyFile string          `env:"PRINCIPAL_PUBLIC_KEY_FILE,required,notEmpty"`
	TimeZone         config.TimeZone `env:"TIME_ZONE" envDefault:"Asia/Seoul"`
}

// The bounds of MYSQL_CONNECTIONS. Slow reads take up to four connections (mysqlx.ReadSlowly), and others must find one beside them.
const (
	leastConnections = 8
	mostConnections  = 1000
)

// Defaults are the values of a service that follow from its name and its ports.
func Defaults(name string, httpPort, adminPort int) Config {
	local := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	return Config{
		HTTPAddr: local(httpPort), AdminAddr: local(adminPort),
		MySQLDatabase: name, MySQLUser: name + "_app", MySQLMigrateUser: name + "_migrate", NATSUser: name,
	}
}

// Common returns the part of a configuration that all services have.
func (c Config) Common() Config { return c }

// Check reports values that are out of range and values that do not go together.
func (c Config) Check() error {
	var problems []error
	if c.RequestTimeout <= 0 {
		problems = append(problems, fmt.Errorf("REQUEST_TIMEOUT: %s is not positive", c.RequestTimeout))
	}
	if c.MySQLPatience <= 0 {
		problems = append(problems, fmt.Errorf("MYSQL_PATIENCE: %s is not positive", c.MySQLPatience))
	}
	if c.MySQLConnections < leastConnections || c.MySQLConnections > mostConnections {
		problems = append(problems, fmt.Errorf("MYSQL_CONNECTIONS: %d is not from %d to %d", c.MySQLConnections, leastConnections, mostConnections))
	}
	if c.DrainTime < 0 || c.DrainTime >= c.ShutdownTimeout {
		problems = append(problems, fmt.Errorf("DRAIN_TIME: %s is not between 0 and SHUTDOWN_TIMEOUT, %s", c.DrainTime, c.ShutdownTimeout))
	}
	if c.EventsReplicas < 1 || c.EventsReplicas > events.MaxReplicas {
		problems = append(problems, fmt.Errorf("EVENTS_REPLICAS: %d is not from 1 to %d", c.EventsReplicas, events.MaxReplicas))
	}
	return errors.Join(problems...)
}

func (c Config) mysql() mysqlx.Config {
	return mysqlx.Config{
		Hosts: c.MySQLHosts, User: c.MySQLUser, Password: string(c.MySQLPassword), Database: c.MySQLDatabase,
		TLSCAFile: c.MySQLTLSCAFile, Patience: c.MySQLPatience, Connections: c.MySQLConnections,
	}
}

func (c Config) mysqlMigrate() mysqlx.Config {
	cfg := c.mysql()
	cfg.User, cfg.Password, cfg.ServiceUser = c.MySQLMigrateUser, string(c.MySQLMigratePassword), c.MySQLUser
	return cfg
}

func (c Config) nats() natsx.Config {
	return natsx.Config{URL: c.NATSURL, User: c.NATSUser, Password: string(c.NATSPassword), TLSCAFile: c.NATSTLSCAFile}
}
