package main

import (
	"context"
	"log/slog"
	"net"
	"time"

	"oms.internal/libs/config"
	"oms.internal/libs/httpx"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/natsx"
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
	service, err := assemble(cfg, log)
	if err != nil {
		return err
	}
	public, admin, err := httpx.TakeBoth(cfg.HTTPAddr, cfg.AdminAddr)
	if err != nil {
		return err
	}
	defer public.Close() //nolint:errcheck // a port that is listened at is closed by its server
	adminListener, err := admin.Listen()
	if err != nil {
		return err
	}
	listening(Addresses{HTTP: public.Addr(), Admin: admin.Addr()})

	// The order of the start. The end comes in reverse: HTTP drains first, the database goes last.
	life := lifecycle.New(log, cfg.ShutdownTimeout)
	life.Add(life.Admin(adminListener, service.metrics))
	life.Add(lifecycle.Part{Name: "mysql", Prepare: service.migrate, Run: service.cluster.Run, Usable: service.cluster.Usable, Ready: service.cluster.Ready})
	life.Add(lifecycle.Part{Name: "idempotency keys", Run: idempotency.NewCleaner(service.cluster, log, time.Now).Run})
	life.Add(lifecycle.Part{
		Name: "nats", Run: service.serveNATS, Ready: natsx.Ready(service.conn), Healthy: natsx.Healthy(service.conn),
	})
	// What the last requests wrote is still told and published: these end after HTTP and before the connection.
	life.Add(lifecycle.Part{Name: "relay", Run: service.relay.Run, Healthy: service.relay.Healthy})
	life.Add(lifecycle.Part{Name: "consumer", Run: service.consumer.Run, Healthy: service.consumer.Healthy})
	life.Add(lifecycle.Part{Name: "writes", Run: service.writes.Run})
	// Before the process can answer, connections to it are refused, and the gateway asks another instance.
	var listener net.Listener
	life.Add(lifecycle.Part{Name: "http", Prepare: func(context.Context) (err error) {
		listener, err = public.Listen()
		return err
	}, Run: func(ctx context.Context) error {
		return httpx.Serve(ctx, service.app, listener, httpx.Drain{Time: cfg.DrainTime, Tell: true})
	}})
	return life.Run(ctx)
}

func migrate(ctx context.Context, cfg Config, log *slog.Logger) error {
	return mysqlx.Migrate(ctx, cfg.mysqlMigrate(), sql.Orders(), log)
}
