package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/natsapi"
	"oms.internal/accounts/internal/password"
	"oms.internal/accounts/internal/store"
	"oms.internal/accounts/internal/token"
	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/httpx"
	"oms.internal/libs/service"
)

// newDomain returns the domain with what it works with, and the keys that sign its tokens.
func newDomain(ctx context.Context, cfg Config, base *service.Base, members *store.Store) (*account.Service, *token.Keyring, error) {
	signing, err := token.LoadKeyring(ctx, cfg.TokenKeysDir)
	if err != nil {
		return nil, nil, err
	}
	passwords := password.NewHasher()
	base.Metrics.MustRegister(passwords.Collectors()...)
	vault, err := vault.New(string(cfg.IdempotencySecret))
	if err != nil {
		return nil, nil, fmt.Errorf("IDEMPOTENCY_SECRET_FILE: %w", err)
	}
	return account.NewService(account.Dependencies{
		Store:       members,
		Passwords:   passwords,
		Tokens:      token.NewIssuer(signing, cfg.TokenIssuer, cfg.TokenAudience),
		Orders:      natsapi.NewOrders(base.NATS),
		Revocations: natsapi.NewRevocationPublisher(base.NATS, base.Log),
		Vault:       vault,
		Now:         time.Now,
		Log:         base.Log,
		Pause:       httpx.Pause,

		Directory:         cfg.Directory,
		LastOrdersTimeout: cfg.LastOrdersTimeout,
		TokenLifetime:     cfg.TokenLifetime,
		RefreshLifetime:   cfg.RefreshLifetime,

		RefreshRepeatWindow: cfg.RefreshRepeatWindow,
		AuditRetention:      cfg.AuditRetention,
	}), signing, nil
}

// operate runs an operator's command with a domain that serves nobody else.
func operate(ctx context.Context, o operator, work func(context.Context, *account.Service) error) error {
	return operateStore(ctx, o, func(ctx context.Context, domain *account.Service, _ *store.Store) error { return work(ctx, domain) })
}

// operateStore is operate, for a command that works with the store, too.
func operateStore(ctx context.Context, o operator, work func(context.Context, *account.Service, *store.Store) error) (err error) {
	base, err := service.Open(accounts.Service, o.Config.Config, o.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.Close()) }()
	members := store.New(base.Database, time.Now)
	domain, _, err := newDomain(ctx, o.Config, base, members)
	if err != nil {
		return err
	}
	return base.Operate(ctx, func(ctx context.Context) error { return work(ctx, domain, members) })
}
