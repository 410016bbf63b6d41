package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"oms.internal/accounts/internal/store"
	"oms.internal/libs/config"
	"oms.internal/libs/httpx"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/natsx"
	"oms.internal/libs/runner"
	"oms.internal/sql"
)

// Addresses are where a started process listens; tests start it on port 0.
type Addresses struct {
	HTTP  net.Addr
	Admin net.Addr
}

// run serves until ctx ends. It calls listening once both ports are open.
func run(ctx context.Context, cfg Config, log *slog.Logger, listening func(Addresses)) error {
	log.LogAttrs(ctx, slog.LevelInfo, "starting", config.Describe(cfg)...)
	service, err := assemble(ctx, cfg, log)
	if err != nil {
		return err
	}
	httpListener, httpErr := httpx.Listen(ctx, cfg.HTTPAddr)
	var listen net.ListenConfig
	adminListener, adminErr := listen.Listen(ctx, "tcp", cfg.AdminAddr)
	if err := errors.Join(httpErr, adminErr); err != nil {
		return err
	}
	listening(Addresses{HTTP: httpListener.Addr(), Admin: adminListener.Addr()})

	// The order of the start. The end comes in reverse: HTTP drains first, the database goes last.
	life := runner.New(log, cfg.ShutdownTimeout)
	life.Add(life.Admin(adminListener, service.metrics))
	life.Add(runner.Part{Name: "mysql", Run: service.keepDatabase, Ready: service.cluster.Ready})
	life.Add(runner.Part{Name: "cleanup", Run: service.domain.CleanUp})
	life.Add(runner.Part{Name: "idempotency keys", Run: idempotency.NewCleaner(service.cluster, log, time.Now).Run})
	life.Add(runner.Part{Name: "signing keys", Run: service.watchKeys})
	life.Add(runner.Part{
		Name: "nats", Run: service.serveNATS, Ready: natsx.Ready(service.conn), Healthy: natsx.Healthy(service.conn),
	})
	life.Add(runner.Part{Name: "relay", Run: service.relay.Run, Healthy: service.relay.Healthy})
	life.Add(runner.Part{Name: "notifier", Run: service.notifier.Run})
	life.Add(runner.Part{Name: "http", Run: func(ctx context.Context) error {
		return httpx.Serve(ctx, service.app, httpListener, httpx.Drain{Time: service.cfg.DrainTime, Tell: true})
	}})
	return life.Run(ctx)
}

func migrate(ctx context.Context, cfg Config, log *slog.Logger) error {
	return mysqlx.Migrate(ctx, cfg.mysqlMigrate(), sql.Accounts(), log, store.FillMailboxes)
}

// awaitPrimary waits until the cluster knows its primary.
func awaitPrimary(ctx context.Context, cluster *mysqlx.Cluster) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := cluster.Ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no primary: %w", err)
		case <-ticker.C:
		}
	}
}
