// Command binlogs keeps the binary logs of both database servers within a size, which neither engine can by itself: MySQL knows no such
// limit, and MariaDB only since 11.4. It removes a log only when the other server has applied it. It also sets the age at which the
// servers remove a log whether the other needs it or not, so that a replica that is away for good does not fill the primary's disk.
//
//	binlogs [serve]  work until SIGTERM
//	binlogs check    only say whether the settings are right
//	binlogs version  say what it was built from
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/version"
	"oms.internal/servers/dbpair"
)

// Config is the configuration of the process.
type Config struct {
	Hosts     []string      `env:"MYSQL_HOSTS,required"`
	Password  config.Secret `env:"MYSQL_ROOT_PASSWORD_FILE,file,required"`
	MaxSizeMB uint64        `env:"BINLOG_MAX_SIZE_MB" envDefault:"4096"` // of each server
	MaxAge    time.Duration `env:"BINLOG_MAX_AGE" envDefault:"24h"`
}

const (
	megabyte = 1 << 20
	minSize  = 8 * logsWithin // in megabytes
	// logsWithin is how many logs the limit holds: only whole logs can be removed.
	logsWithin = 16
	// pause is the time between two looks, and patience is how long one may take.
	pause    = 10 * time.Second
	patience = 30 * time.Second
)

// Check says what is wrong with values that could be read.
func (c *Config) Check() error {
	var problems []error
	if len(c.Hosts) != 2 {
		problems = append(problems, errors.New("MYSQL_HOSTS: name both servers"))
	}
	if c.MaxSizeMB < minSize {
		problems = append(problems, fmt.Errorf("BINLOG_MAX_SIZE_MB: at least %d", minSize))
	}
	if c.MaxAge < time.Hour {
		problems = append(problems, errors.New("BINLOG_MAX_AGE: at least 1h, or a replica that restarts may lack what it needs"))
	}
	return errors.Join(problems...)
}

func main() {
	os.Exit(lifecycle.Main(func(ctx context.Context) error {
		if slices.Equal(os.Args[1:], []string{"version"}) {
			_, err := fmt.Fprintln(os.Stdout, "binlogs", version.Get())
			return err
		}
		cfg, err := config.Load[Config](os.Environ())
		if err != nil {
			return fmt.Errorf("configuration:\n%w", err)
		}
		if slices.Equal(os.Args[1:], []string{"check"}) {
			return nil
		}
		return serve(ctx, cfg)
	}))
}

func serve(ctx context.Context, cfg Config) (err error) {
	var servers [2]*sql.DB
	for i, host := range cfg.Hosts {
		if servers[i], err = dbpair.OpenRootAt(host, string(cfg.Password)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, servers[i].Close()) }()
	}
	log := lifecycle.NewLogger(os.Stdout, "binlogs", slog.LevelInfo)
	log.InfoContext(ctx, "keeping binary logs within limits", "hosts", cfg.Hosts, "max_size_mb", cfg.MaxSizeMB, "max_age", cfg.MaxAge.String())
	ticks := time.NewTicker(pause)
	defer ticks.Stop()
	keeper := keeper{servers: servers, hosts: cfg.Hosts, size: cfg.MaxSizeMB * megabyte, age: cfg.MaxAge, log: log}
	for {
		keeper.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// keeper keeps the logs of two servers within limits.
type keeper struct {
	servers [2]*sql.DB
	hosts   []string
	size    uint64 // in bytes
	age     time.Duration
	log     *slog.Logger
	said    [2]string // what was wrong with a server at the last look, so that it is said once
}

// look looks at both servers once.
func (k *keeper) look(ctx context.Context) {
	for i, server := range k.servers {
		removed, err := k.limit(ctx, server, k.servers[1-i])
		if ctx.Err() != nil {
			return
		}
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		if problem != k.said[i] && err != nil {
			k.log.WarnContext(ctx, "binary logs are not removed for now", "host", k.hosts[i], "error", err)
		} else if problem != k.said[i] {
			k.log.InfoContext(ctx, "binary logs can be removed again", "host", k.hosts[i])
		}
		k.said[i] = problem
		if removed > 0 {
			k.log.InfoContext(ctx, "removed binary logs", "host", k.hosts[i], "number", removed)
		}
	}
}

func (k *keeper) limit(ctx context.Context, server, other *sql.DB) (removed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := dbpair.LimitLogs(ctx, server, k.size/logsWithin, k.age); err != nil {
		return 0, err
	}
	return dbpair.TrimLogs(ctx, server, other, k.size)
}
