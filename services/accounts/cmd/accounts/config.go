package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/config"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/natsx"
)

// defaultAdminAddr repeats the default of AdminAddr for the health check, which reads no other setting.
const defaultAdminAddr = "127.0.0.1:9101"

// Config is the environment of the process.
type Config struct {
	HTTPAddr        string        `env:"HTTP_ADDR" envDefault:"127.0.0.1:9001"`
	AdminAddr       string        `env:"ADMIN_ADDR" envDefault:"127.0.0.1:9101"`
	LogLevel        slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s"`
	// RequestTimeout is shorter than the gateway's UPSTREAM_TIMEOUT, so that a slow answer is reported by the service that is slow.
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"4s"`
	DrainTime      time.Duration `env:"DRAIN_TIME" envDefault:"1s"`

	MySQLHosts           []string      `env:"MYSQL_HOSTS,required,notEmpty"`
	MySQLDatabase        string        `env:"MYSQL_DATABASE" envDefault:"accounts"`
	MySQLUser            string        `env:"MYSQL_USER" envDefault:"accounts_app"`
	MySQLPassword        config.Secret `env:"MYSQL_PASSWORD_FILE,file,required"`
	MySQLMigrateUser     string        `env:"MYSQL_MIGRATE_USER" envDefault:"accounts_migrate"`
	MySQLMigratePassword config.Secret `env:"MYSQL_MIGRATE_PASSWORD_FILE,file"`
	MigrateOnStart       bool          `env:"MIGRATE_ON_START" envDefault:"false"`
	MySQLTLSCAFile       string        `env:"MYSQL_TLS_CA_FILE"`

	NATSURL       string        `env:"NATS_URL,required,notEmpty"`
	NATSUser      string        `env:"NATS_USER" envDefault:"accounts"`
	NATSPassword  config.Secret `env:"NATS_PASSWORD_FILE,file,required"`
	NATSTLSCAFile string        `env:"NATS_TLS_CA_FILE"`
	// EventsReplicas is how many NATS servers keep an event, where this process is the first to make the stream.
	EventsReplicas int `env:"EVENTS_REPLICAS" envDefault:"1"`

	IdempotencySecret config.Secret `env:"IDEMPOTENCY_SECRET_FILE,file,required"`

	PrincipalKeyFile string `env:"PRINCIPAL_PUBLIC_KEY_FILE,required,notEmpty"`

	TokenKeysDir    string        `env:"TOKEN_KEYS_DIR,required,notEmpty"`
	TokenLifetime   time.Duration `env:"TOKEN_LIFETIME" envDefault:"10h"`
	RefreshLifetime time.Duration `env:"REFRESH_LIFETIME" envDefault:"720h"`
	// RefreshRepeatWindow is as long as a token: a client that lost an answer notices when its access token expires, at the latest.
	RefreshRepeatWindow time.Duration `env:"REFRESH_REPEAT_WINDOW" envDefault:"10h"`
	TokenIssuer         string        `env:"TOKEN_ISSUER" envDefault:"oms"`
	TokenAudience       string        `env:"TOKEN_AUDIENCE" envDefault:"oms"`
	// LastOrdersTimeout is how long a page of members waits for the orders service before it goes without last orders.
	LastOrdersTimeout time.Duration     `env:"LAST_ORDERS_TIMEOUT" envDefault:"150ms"`
	Directory         account.Directory `env:"ACCOUNTS_DIRECTORY" envDefault:"masked"`
	TimeZone          config.TimeZone   `env:"TIME_ZONE" envDefault:"Asia/Seoul"`
}

// Check finds values that are none and those that do not go together.
func (c Config) Check() error {
	var problems []error
	if c.TokenLifetime <= 0 {
		problems = append(problems, fmt.Errorf("TOKEN_LIFETIME: %s is not positive", c.TokenLifetime))
	}
	switch {
	case c.RefreshLifetime <= 0:
		problems = append(problems, fmt.Errorf("REFRESH_LIFETIME: %s is not positive", c.RefreshLifetime))
	case c.RefreshLifetime < c.TokenLifetime:
		problems = append(problems, fmt.Errorf("REFRESH_LIFETIME: %s is shorter than TOKEN_LIFETIME, %s", c.RefreshLifetime, c.TokenLifetime))
	}
	if c.LastOrdersTimeout <= 0 {
		problems = append(problems, fmt.Errorf("LAST_ORDERS_TIMEOUT: %s is not positive", c.LastOrdersTimeout))
	}
	if c.RefreshRepeatWindow < 0 {
		problems = append(problems, fmt.Errorf("REFRESH_REPEAT_WINDOW: %s is negative", c.RefreshRepeatWindow))
	}
	if c.RequestTimeout <= 0 {
		problems = append(problems, fmt.Errorf("REQUEST_TIMEOUT: %s is not positive", c.RequestTimeout))
	}
	if c.DrainTime < 0 || c.DrainTime >= c.ShutdownTimeout {
		problems = append(problems, fmt.Errorf("DRAIN_TIME: %s is not between 0 and SHUTDOWN_TIMEOUT, %s", c.DrainTime, c.ShutdownTimeout))
	}
	if c.EventsReplicas < 1 || c.EventsReplicas > events.MaxReplicas {
		problems = append(problems, fmt.Errorf("EVENTS_REPLICAS: %d is not from 1 to %d", c.EventsReplicas, events.MaxReplicas))
	}
	if len(c.IdempotencySecret) < vault.MinSecret {
		problems = append(problems, fmt.Errorf("IDEMPOTENCY_SECRET_FILE: the secret has fewer than %d characters", vault.MinSecret))
	}
	return errors.Join(problems...)
}

func (c Config) mysql() mysqlx.Config {
	return mysqlx.Config{
		Hosts: c.MySQLHosts, User: c.MySQLUser, Password: string(c.MySQLPassword), Database: c.MySQLDatabase,
		TLSCAFile: c.MySQLTLSCAFile,
	}
}

func (c Config) mysqlMigrate() mysqlx.Config {
	cfg := c.mysql()
	cfg.User, cfg.Password = c.MySQLMigrateUser, string(c.MySQLMigratePassword)
	return cfg
}

func (c Config) nats() natsx.Config {
	return natsx.Config{URL: c.NATSURL, User: c.NATSUser, Password: string(c.NATSPassword), TLSCAFile: c.NATSTLSCAFile}
}
