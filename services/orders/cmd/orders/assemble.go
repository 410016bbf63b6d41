package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencyhttp"
	"oms.internal/libs/consistency/consistencynats"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/httpx"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/natsx"
	"oms.internal/orders/internal/httpapi"
	"oms.internal/orders/internal/natsapi"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
)

// service is the process with all its parts wired and none started.
type service struct {
	cfg      Config
	log      *slog.Logger
	metrics  *prometheus.Registry
	cluster  *mysqlx.Cluster
	conn     *nats.Conn
	domain   *order.Service
	writes   *consistencynats.Publisher
	relay    *events.Relay
	consumer *events.Consumer
	app      *fiber.App
}

func assemble(cfg Config, log *slog.Logger) (*service, error) {
	principalKey, err := assertion.ReadPublicKey(cfg.PrincipalKeyFile)
	if err != nil {
		return nil, err
	}
	cluster, err := mysqlx.Open(cfg.mysql(), log)
	if err != nil {
		return nil, err
	}
	conn, err := natsx.Connect(cfg.nats(), log)
	if err != nil {
		return nil, err
	}
	writes := consistencynats.NewPublisher(conn, log)
	orderStore := store.New(cluster, time.Now)
	domain := order.NewService(order.Dependencies{
		Store:     orderStore,
		Members:   natsapi.NewMembers(conn),
		NewNumber: order.NewNumber,
		Now:       time.Now,
		Log:       log,
	})
	metrics := lifecycle.NewMetrics(cluster.Metrics()...)
	app := httpx.New(httpx.Options{Log: log, Metrics: metrics, Timeout: cfg.RequestTimeout, TrustRequestID: true})
	verifier := assertion.NewVerifier(principalKey, orders.Service, time.Now)
	httpapi.New(domain, cfg.TimeZone.Location).
		Register(app, verifier, consistencyhttp.Handler(consistency.NewMemory(time.Now), writes.Publish))
	return &service{
		cfg: cfg, log: log, metrics: metrics, cluster: cluster, conn: conn, domain: domain, writes: writes,
		relay:    events.NewRelay(cluster, conn, events.RelayOptions{Replicas: cfg.EventsReplicas, Log: log}),
		consumer: natsapi.NewConsumer(cluster, conn, orderStore.ForgetCustomer, log),
		app:      app,
	}, nil
}

// migrate brings the schema up to date where that is this process's task.
func (s *service) migrate(ctx context.Context) error {
	if !s.cfg.MigrateOnStart {
		return nil
	}
	return migrate(ctx, s.cfg, s.log)
}

// serveNATS answers requests until ctx ends, then closes the connection.
func (s *service) serveNATS(ctx context.Context) error {
	defer s.conn.Close()
	return natsx.Serve(ctx, s.conn, orders.Service, s.log, natsapi.Endpoints(s.domain)...)
}
