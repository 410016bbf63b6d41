package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/httpapi"
	"oms.internal/accounts/internal/natsapi"
	"oms.internal/accounts/internal/password"
	"oms.internal/accounts/internal/store"
	"oms.internal/accounts/internal/token"
	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencyhttp"
	"oms.internal/libs/consistency/consistencynats"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/events"
	"oms.internal/libs/httpx"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/natsx"
)

// service is the process with all its parts wired and none started.
type service struct {
	cfg     Config
	log     *slog.Logger
	metrics *prometheus.Registry
	cluster *mysqlx.Cluster
	conn    *nats.Conn
	keys    *token.Keyring
	domain  *account.Service
	writes  *consistencynats.Publisher
	relay   *events.Relay
	app     *fiber.App
}

func assemble(ctx context.Context, cfg Config, log *slog.Logger) (*service, error) {
	principalKey, err := assertion.ReadPublicKey(cfg.PrincipalKeyFile)
	if err != nil {
		return nil, err
	}
	keys, err := token.LoadKeyring(ctx, cfg.TokenKeysDir)
	if err != nil {
		return nil, err
	}
	passwords, err := password.NewHasher()
	if err != nil {
		return nil, err
	}
	vault, err := vault.New(string(cfg.IdempotencySecret))
	if err != nil {
		return nil, fmt.Errorf("IDEMPOTENCY_SECRET_FILE: %w", err)
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
	domain := account.NewService(account.Dependencies{
		Store:       store.New(cluster),
		Passwords:   passwords,
		Tokens:      token.NewIssuer(keys, cfg.TokenIssuer, cfg.TokenAudience),
		Orders:      natsapi.NewOrders(conn),
		Revocations: natsapi.NewRevocationPublisher(conn, log),
		Vault:       vault,
		Now:         time.Now,
		Log:         log,

		Directory:         cfg.Directory,
		LastOrdersTimeout: cfg.LastOrdersTimeout,
		TokenLifetime:     cfg.TokenLifetime,
		RefreshLifetime:   cfg.RefreshLifetime,

		RefreshRepeatWindow: cfg.RefreshRepeatWindow,
	})
	metrics := lifecycle.NewMetrics(cluster.Metrics()...)
	app := httpx.New(httpx.Options{Log: log, Metrics: metrics, Timeout: cfg.RequestTimeout, TrustRequestID: true})
	verifier := assertion.NewVerifier(principalKey, accounts.Service, time.Now)
	httpapi.New(domain, keys.JWKS, cfg.TimeZone.Location).
		Register(app, verifier, consistencyhttp.Handler(consistency.NewMemory(time.Now), writes.Publish))
	relay := events.NewRelay(cluster, conn, events.RelayOptions{Replicas: cfg.EventsReplicas, Log: log})
	return &service{
		cfg: cfg, log: log, metrics: metrics, cluster: cluster, conn: conn, keys: keys, domain: domain, writes: writes,
		relay: relay, app: app,
	}, nil
}

// migrate brings the schema up to date where that is this process's task.
func (s *service) migrate(ctx context.Context) error {
	if !s.cfg.MigrateOnStart {
		return nil
	}
	return migrate(ctx, s.cfg, s.log)
}

// watchKeys takes in rotated keys until ctx ends.
func (s *service) watchKeys(ctx context.Context) error { return s.keys.Watch(ctx, s.log) }

// serveNATS answers requests until ctx ends, then closes the connection.
func (s *service) serveNATS(ctx context.Context) error {
	defer s.conn.Close()
	return natsx.Serve(ctx, s.conn, accounts.Service, s.log, natsapi.Endpoints(s.domain)...)
}
