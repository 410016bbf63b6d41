package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/config"
	"oms.internal/libs/service"
)

// Settings that all services have are tested in libs/service.
func TestSettingsThatCannotServeOrDoNotGoTogetherEndTheStart(t *testing.T) {
	t.Parallel()
	lifetimes := func(token, refresh time.Duration) func(*Config) {
		return func(c *Config) { c.TokenLifetime, c.RefreshLifetime = token, refresh }
	}
	for name, test := range map[string]struct {
		change func(*Config)
		want   []string // what is wrong
	}{
		"usual lifetimes":             {lifetimes(10*time.Hour, 720*time.Hour), nil},
		"equal lifetimes":             {lifetimes(time.Hour, time.Hour), nil},
		"a session ends before":       {lifetimes(time.Hour, time.Hour-1), []string{"REFRESH_LIFETIME"}},
		"no token":                    {lifetimes(0, time.Hour), []string{"TOKEN_LIFETIME: 0s is not positive"}},
		"a token that ended":          {lifetimes(-1, time.Hour), []string{"TOKEN_LIFETIME"}},
		"no session":                  {lifetimes(time.Hour, 0), []string{"REFRESH_LIFETIME"}},
		"a session that ended":        {lifetimes(time.Hour, -1), []string{"REFRESH_LIFETIME"}},
		"neither":                     {lifetimes(0, 0), []string{"TOKEN_LIFETIME", "REFRESH_LIFETIME"}},
		"no secret":                   {func(c *Config) { c.IdempotencySecret = "" }, []string{"IDEMPOTENCY_SECRET_FILE"}},
		"a short secret":              {func(c *Config) { c.IdempotencySecret = c.IdempotencySecret[1:] }, []string{"IDEMPOTENCY_SECRET_FILE"}},
		"no repeated refresh":         {func(c *Config) { c.RefreshRepeatWindow = 0 }, nil},
		"a window before the use":     {func(c *Config) { c.RefreshRepeatWindow = -1 }, []string{"REFRESH_REPEAT_WINDOW"}},
		"events that soon go":         {func(c *Config) { c.AuditRetention = time.Hour }, []string{"AUDIT_RETENTION"}},
		"no time for last orders":     {func(c *Config) { c.LastOrdersTimeout = 0 }, []string{"LAST_ORDERS_TIMEOUT"}},
		"what no service can do with": {func(c *Config) { c.EventsReplicas = 0 }, []string{"EVENTS_REPLICAS"}},
	} {
		cfg := Config{
			Config:        service.Config{ShutdownTimeout: 10 * time.Second, DrainTime: time.Second, RequestTimeout: time.Second, EventsReplicas: 1, MySQLPatience: time.Second, MySQLConnections: 20},
			TokenLifetime: time.Hour, RefreshLifetime: time.Hour, LastOrdersTimeout: time.Second, AuditRetention: account.MinAuditRetention,
			IdempotencySecret: config.Secret(strings.Repeat("s", vault.MinSecret)),
		}
		test.change(&cfg)
		err := cfg.Check()
		require.Equal(t, test.want == nil, err == nil, "%s: %v", name, err)
		for _, part := range test.want {
			require.ErrorContains(t, err, part, name)
		}
		require.NotContains(t, fmt.Sprint(err, cfg), "sss", "%s: the secret was shown", name)
	}
}
