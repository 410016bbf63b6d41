package main

import (
	"errors"
	"fmt"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/config"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/service"
)

// Config is the environment of the process.
type Config struct {
	service.Config

	IdempotencySecret config.Secret `env:"IDEMPOTENCY_SECRET_FILE,file,required"`

	TokenKeysDir    string        `env:"TOKEN_KEYS_DIR,required,notEmpty"`
	TokenLifetime   time.Duration `env:"TOKEN_LIFETIME" envDefault:"10h"`
	RefreshLifetime time.Duration `env:"REFRESH_LIFETIME" envDefault:"720h"`
	// RefreshRepeatWindow is short, because a thief of a used token has this time; a client that lost an answer asks at once.
	RefreshRepeatWindow time.Duration `env:"REFRESH_REPEAT_WINDOW" envDefault:"10m"`
	// AuditRetention is how long audit events are kept.
	AuditRetention time.Duration `env:"AUDIT_RETENTION" envDefault:"8760h"`
	TokenIssuer    string        `env:"TOKEN_ISSUER" envDefault:"oms"`
	TokenAudience  string        `env:"TOKEN_AUDIENCE" envDefault:"oms"`
	// LastOrdersTimeout is how long a page of members waits for the orders service before it goes without last orders.
	LastOrdersTimeout time.Duration     `env:"LAST_ORDERS_TIMEOUT" envDefault:"150ms"`
	Directory         account.Directory `env:"ACCOUNTS_DIRECTORY" envDefault:"masked"`
}

// SetDefaults is for config.Load.
func (c *Config) SetDefaults() { c.Config = service.Defaults(accounts.Service, 9001, 9101) }

// Check reports values that are out of range and values that do not go together.
func (c Config) Check() error {
	problems := []error{c.Config.Check()}
	if c.TokenLifetime <= 0 {
		problems = append(problems, fmt.Errorf("TOKEN_LIFETIME: %s is not positive", c.TokenLifetime))
	}
	switch {
	case c.RefreshLifetime <= 0:
		problems = append(problems, fmt.Errorf("REFRESH_LIFETIME: %s is not positive", c.RefreshLifetime))
	case c.RefreshLifetime < c.TokenLifetime:
		problems = append(problems, fmt.Errorf("REFRESH_LIFETIME: %s is shorter than TOKEN_LIFETIME, %s", c.RefreshLifetime, c.TokenLifetime))
	}
	if c.LastOrdersTimeout <= 0 {
		problems = append(problems, fmt.Errorf("LAST_ORDERS_TIMEOUT: %s is not positive", c.LastOrdersTimeout))
	}
	if c.RefreshRepeatWindow < 0 {
		problems = append(problems, fmt.Errorf("REFRESH_REPEAT_WINDOW: %s is negative", c.RefreshRepeatWindow))
	}
	if c.AuditRetention < account.MinAuditRetention {
		problems = append(problems, fmt.Errorf("AUDIT_RETENTION: %s is shorter than %s", c.AuditRetention, account.MinAuditRetention))
	}
	if len(c.IdempotencySecret) < vault.MinSecret {
		problems = append(problems, fmt.Errorf("IDEMPOTENCY_SECRET_FILE: the secret has fewer than %d characters", vault.MinSecret))
	}
	return errors.Join(problems...)
}
