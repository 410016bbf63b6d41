package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"oms.internal/gateway/internal/proxy"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/config"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/httpx"
	"oms.internal/libs/natsx"
	"oms.internal/libs/runner"
)

// addresses are where a started process listens; tests start it on port 0.
type addresses struct {
	public net.Addr
	admin  net.Addr
}

// run is the life of the process. onListen is told the addresses once both ports are taken.
func run(ctx context.Context, cfg settings, log *slog.Logger, onListen func(addresses)) error {
	log.LogAttrs(ctx, slog.LevelInfo, "starting", config.Describe(cfg)...)
	key, err := assertion.ReadPrivateKey(cfg.PrincipalPrivateKeyFile)
	if err != nil {
		return fmt.Errorf("principal key: %w", err)
	}
	public, admin, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	// A listener that is in use is closed by its server; closing it twice is harmless.
	defer func() { _, _ = public.Close(), admin.Close() }()
	conn, err := natsx.Connect(cfg.nats(), log)
	if err != nil {
		return err
	}
	defer conn.Close()
	forAccounts := proxy.NewInstances(accounts.Service, cfg.AccountsURL.all, log, time.Now)
	forOrders := proxy.NewInstances(orders.Service, cfg.OrdersURL.all, log, time.Now)
	control := proxy.NewInstances(accounts.Service, cfg.AccountsURL.all, log, time.Now)
	for _, instances := range []*proxy.Instances{forAccounts, forOrders, control} {
		defer instances.CloseIdleConnections()
	}

	built, err := assemble(cfg, log, outside{
		signer:   assertion.NewSigner(key, time.Now),
		conn:     conn,
		accounts: forAccounts,
		orders:   forOrders,
		control:  control,
		metrics:  runner.NewMetrics(),
		now:      time.Now,
	})
	if err != nil {
		return err
	}
	served, err := guard(cfg, public)
	if err != nil {
		return err
	}
	process := runner.New(log, cfg.ShutdownTimeout)
	process.Add(process.Admin(admin, built.metrics))
	process.Add(runner.Part{Name: "keys", Run: built.keys.Run, Ready: built.keys.Ready})
	process.Add(runner.Part{
		Name: "revocations", Run: built.follower.Run, Ready: built.follower.Ready, Healthy: built.follower.Current,
	})
	process.Add(runner.Part{
		Name: "nats", Healthy: natsx.Healthy(conn), Run: func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		},
	})
	process.Add(runner.Part{Name: "seen", Run: built.reporter.Run})
	process.Add(runner.Part{Name: "told", Run: built.told.Run})
	door := &opening{log: log, ready: func() error { return errors.Join(built.keys.Ready(), built.follower.Ready()) }}
	process.Add(runner.Part{Name: "http", Ready: door.Ready, Run: func(ctx context.Context) error {
		if !door.wait(ctx) {
			return nil
		}
		return httpx.Serve(ctx, built.app, served, httpx.Drain{Time: cfg.DrainTime})
	}})
	onListen(addresses{public: public.Addr(), admin: admin.Addr()})
	return process.Run(ctx)
}

// listen takes both ports or none.
func listen(ctx context.Context, cfg settings) (public, admin net.Listener, err error) {
	public, err = httpx.Listen(ctx, cfg.HTTPAddr)
	if err != nil {
		return nil, nil, fmt.Errorf("HTTP_ADDR: %w", err)
	}
	var listening net.ListenConfig
	admin, err = listening.Listen(ctx, "tcp", cfg.AdminAddr)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("ADMIN_ADDR: %w", err), public.Close())
	}
	return public, admin, nil
}
