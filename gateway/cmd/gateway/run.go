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
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/httpx"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/natsx"
)

// addresses are where a started process listens; tests start it on port 0.
type addresses struct {
	public net.Addr
	admin  net.Addr
}

// run is the life of the process. onListen is told the addresses once both ports are taken.
func run(ctx context.Context, cfg Config, log *slog.Logger, now func() time.Time, onListen func(addresses)) error {
	lifecycle.LogStart(ctx, log, cfg)
	key, err := assertion.ReadPrivateKey(cfg.PrincipalPrivateKeyFile)
	if err != nil {
		return fmt.Errorf("principal key: %w", err)
	}
	publicPort, adminPort, err := httpx.TakeBoth(cfg.HTTPAddr, cfg.AdminAddr, cfg.ListenShared)
	if err != nil {
		return err
	}
	public, admin, err := listen(publicPort, adminPort)
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
	forAccounts := proxy.NewInstances(accounts.Service, cfg.AccountsURL.all, log, now)
	forOrders := proxy.NewInstances(orders.Service, cfg.OrdersURL.all, log, now)
	control := proxy.NewInstances(accounts.Service, cfg.AccountsURL.all, log, now)
	for _, instances := range []*proxy.Instances{forAccounts, forOrders, control} {
		defer instances.CloseIdleConnections()
	}

	built, err := assemble(cfg, log, outside{
		signer:   assertion.NewSigner(key, now),
		conn:     conn,
		accounts: forAccounts,
		orders:   forOrders,
		control:  control,
		metrics:  lifecycle.NewMetrics(natsx.Connected(conn)),
		now:      now,
	})
	if err != nil {
		return err
	}
	served, err := clientListener(cfg, public, built.metrics, now)
	if err != nil {
		return err
	}
	process := lifecycle.New(log, cfg.ShutdownTimeout)
	process.Add(process.Clock(built.metrics), lifecycle.Part{Name: "port", Run: publicPort.Hold})
	// It waits for nothing: what it does not hear while others start, nobody tells it again.
	process.Add(lifecycle.Part{Name: "read your writes", Run: built.members.Run})
	process.Add(lifecycle.Part{Name: "keys", Run: built.keys.Run, Ready: built.keys.Ready})
	// A gateway that knows revocations that are too old answers no route that needs a token, so it is not ready.
	process.Add(lifecycle.Part{Name: "revocations", Run: built.follower.Run, Ready: built.follower.Current})
	process.Add(lifecycle.Part{
		Name: "nats", Healthy: natsx.Healthy(conn), Run: func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		},
	})
	process.Add(lifecycle.Part{Name: "last seen", Run: built.reporter.Run})
	operators := process.Admin(admin, built.metrics, cfg.AdminProfiles)
	if cfg.ListenShared {
		operators = process.Handing(operators, admin)
	}
	process.AddServing(operators, lifecycle.Part{
		Name: "http",
		Run: func(ctx context.Context) error {
			return httpx.Serve(ctx, built.app, served, httpx.Drain{Time: cfg.DrainTime})
		},
	}, lifecycle.Beside{Admin: adminPort.Beside(), Requests: publicPort.Beside()})
	onListen(addresses{public: public.Addr(), admin: admin.Addr()})
	return process.Run(ctx)
}

// listen listens at both ports or none. Nobody accepts yet: clients have no other gateway to turn to, so their connections
// wait until this one can answer. Where another gateway listens, this one listens once it can answer.
func listen(publicPort, adminPort *httpx.Port) (public, admin net.Listener, err error) {
	if public, err = publicPort.ListenOr(publicPort.Beside()); err != nil {
		return nil, nil, errors.Join(err, adminPort.Close())
	}
	if admin, err = adminPort.ListenOr(adminPort.Beside()); err != nil {
		return nil, nil, errors.Join(err, public.Close())
	}
	return public, admin, nil
}
