// Package service is the life of a service, written once: its configuration, its subcommands, and the parts that it has
// like every other service. A service says what is special to it in a Program.
//
// The package links the database, so the gateway must not import it.
package service

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"oms.internal/libs/events"
	"oms.internal/libs/httpx"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/natsx"
)

// Program is a service. C is its configuration, which embeds Config.
type Program[C interface{ Common() Config }] struct {
	// Name is the service's name on NATS, in logs and in principals.
	Name string
	// About says in a few words what the service does, for --help.
	About string
	// Migrate applies the migrations of the service's schema.
	Migrate func(ctx context.Context, cfg mysqlx.Config, log *slog.Logger) error
	// Build adds to the base what is special, the routes among it, and returns what is to run.
	Build func(ctx context.Context, cfg C, base *Base) (Special, error)
	// Commands returns the operator's commands of this service alone, besides serve, migrate, check, health and version. It is nil
	// where there are none.
	Commands func(operate Operate[C]) []*cobra.Command
}

// Special is what one service runs and others do not.
type Special struct {
	// Workers run while the database does. They start before the process answers anybody.
	Workers []lifecycle.Part
	// Endpoints answer other processes over NATS.
	Endpoints []natsx.Endpoint
	Consumers []*events.Consumer
}

// Addresses are where a process listens; tests start it on port 0.
type Addresses struct {
	HTTP  net.Addr
	Admin net.Addr
}

// Serve runs the service until ctx ends. It calls taken once it has both ports; connections are refused until it can
// answer.
func (p Program[C]) Serve(ctx context.Context, cfg C, log *slog.Logger, taken func(Addresses)) (err error) {
	lifecycle.LogStart(ctx, log, cfg)
	common := cfg.Common()
	base, err := Open(p.Name, common, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.Close()) }()
	special, err := p.Build(ctx, cfg, base)
	if err != nil {
		return err
	}
	public, admin, err := httpx.TakeBoth(common.HTTPAddr, common.AdminAddr, common.ListenShared)
	if err != nil {
		return err
	}
	defer public.Close() //nolint:errcheck // once it is listened at, the server has closed it
	defer admin.Close()  //nolint:errcheck // the same
	operators, err := admin.ListenOr(admin.Beside())
	if err != nil {
		return err
	}
	taken(Addresses{HTTP: public.Addr(), Admin: admin.Addr()})

	// The order of the start. The end comes in reverse: HTTP drains first, the database goes last.
	life := lifecycle.New(log, common.ShutdownTimeout)
	httpx.TellReady(base.App, base.Verifier, life.Ready)
	life.Add(life.Clock(base.Metrics), lifecycle.Part{Name: "port", Run: public.Hold}, p.database(common, base))
	life.Add(special.Workers...)
	life.Add(
		base.Minutely("remove old idempotency keys", idempotency.NewCleaner(base.Database, time.Now).Clean),
		lifecycle.Part{
			Name: "nats", Ready: natsx.Ready(base.NATS), Healthy: natsx.Healthy(base.NATS),
			Run: func(ctx context.Context) error {
				return natsx.Serve(ctx, base.NATS, p.Name, log, special.Endpoints...)
			},
		})
	// What the last requests wrote is still told and published, so these end after HTTP.
	relay := events.NewRelay(base.Database, base.NATS, events.RelayOptions{Replicas: common.EventsReplicas, Log: log})
	base.Metrics.MustRegister(relay.Metrics()...)
	life.Add(lifecycle.Part{Name: "relay", Run: relay.Run, Healthy: relay.Healthy})
	for _, consumer := range special.Consumers {
		life.Add(lifecycle.Part{Name: "consumer", Run: consumer.Run, Healthy: consumer.Healthy})
	}
	life.Add(lifecycle.Part{Name: "writes", Run: base.writes.Run})
	answers := life.Admin(operators, base.Metrics, common.AdminProfiles)
	if common.ListenShared {
		answers = life.Handing(answers, operators)
	}
	life.AddServing(answers, answer(common, base, public), lifecycle.Beside{Admin: admin.Beside(), Requests: public.Beside()})
	return life.Run(ctx)
}

// database migrates the schema where that is the process's task, and then watches the servers.
func (p Program[C]) database(cfg Config, base *Base) lifecycle.Part {
	part := lifecycle.Part{
		Name: "mysql", Run: base.Database.Run, Usable: base.Database.Usable, Ready: base.Database.Ready,
		Healthy: base.Database.Healthy,
	}
	if cfg.MigrateOnStart {
		part.Prepare = func(ctx context.Context) error { return p.Migrate(ctx, cfg.mysqlMigrate(), base.Log) }
	}
	return part
}

// answer serves HTTP. It is the last part: before it has started connections are refused, and the gateway asks another
// instance.
func answer(cfg Config, base *Base, port *httpx.Port) lifecycle.Part {
	var listener net.Listener
	return lifecycle.Part{
		Name: "http",
		Prepare: func(context.Context) (err error) {
			listener, err = port.Listen()
			return err
		},
		Run: func(ctx context.Context) error {
			return httpx.Serve(ctx, base.App, listener, httpx.Drain{Time: cfg.DrainTime, Tell: true})
		},
	}
}
