package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencyhttp"
	"oms.internal/libs/consistency/consistencynats"
	"oms.internal/libs/httpx"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/natsx"
	"oms.internal/libs/pace"
)

const (
	// primaryTimeout bounds how long an operator's command waits for the primary.
	primaryTimeout = 30 * time.Second
	lookInterval   = 10 * time.Millisecond
)

// Base is what each service works with. None of it runs yet.
type Base struct {
	Log      *slog.Logger
	Database *mysqlx.Cluster
	NATS     *nats.Conn
	// App is the HTTP server, without routes.
	App *fiber.App
	// Verifier checks who asks.
	Verifier *assertion.Verifier
	// OwnWrites is the handler before the routes that has callers see their own writes.
	OwnWrites fiber.Handler
	// Metrics are those of the process; what a service adds is registered before it runs.
	Metrics *prometheus.Registry

	writes *consistencynats.Publisher
}

// Open prepares the base of the service called name. It waits for no server. Close ends it.
func Open(name string, cfg Config, log *slog.Logger) (*Base, error) {
	principalKey, err := assertion.ReadPublicKey(cfg.PrincipalKeyFile)
	if err != nil {
		return nil, err
	}
	database, err := mysqlx.Open(cfg.mysql(), log)
	if err != nil {
		return nil, err
	}
	conn, err := natsx.Connect(cfg.nats(), log)
	if err != nil {
		return nil, errors.Join(err, database.Close())
	}
	writes := consistencynats.NewPublisher(conn, log)
	metrics := lifecycle.NewMetrics(append(database.Metrics(), natsx.Connected(conn))...)
	return &Base{
		Log: log, Database: database, NATS: conn, writes: writes, Metrics: metrics,
		App:       httpx.New(httpx.Options{Log: log, Metrics: metrics, Timeout: cfg.RequestTimeout, TrustRequestID: true}),
		Verifier:  assertion.NewVerifier(principalKey, name, time.Now),
		OwnWrites: consistencyhttp.Handler(consistency.NewMemory(time.Now), writes.Publish),
	}, nil
}

// Close closes the connections.
func (b *Base) Close() error {
	b.NATS.Close()
	return b.Database.Close()
}

// Operate does an operator's work with a database that serves nobody else. It waits for the primary first, for half a
// minute at most.
func (b *Base) Operate(ctx context.Context, work func(context.Context) error) error {
	watched := make(chan error, 1)
	watching, stop := context.WithCancel(ctx)
	go func() { watched <- b.Database.Run(watching) }()
	err := b.awaitPrimary(ctx)
	if err == nil {
		err = work(ctx)
	}
	stop()
	return errors.Join(err, <-watched)
}

func (b *Base) awaitPrimary(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, primaryTimeout)
	defer cancel()
	for {
		lacking := b.Database.Usable()
		if lacking == nil {
			return nil
		}
		if pace.Wait(ctx, lookInterval) != nil {
			return fmt.Errorf("no primary: %w", lacking)
		}
	}
}
