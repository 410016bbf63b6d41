package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/config"
	"oms.internal/libs/service"
)

// valid is a configuration in which every value goes with the others.
func valid() Config {
	return Config{
		Config:        service.Config{ShutdownTimeout: 10 * time.Second, DrainTime: time.Second, RequestTimeout: time.Second, EventsReplicas: 1},
		TokenLifetime: time.Hour, RefreshLifetime: time.Hour, LastOrdersTimeout: time.Second,
		IdempotencySecret: config.Secret(strings.Repeat("s", vault.MinSecret)),
	}
}

func TestASessionDoesNotEndBeforeItsToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		token, refresh time.Duration
		want           string // "" for settings that go together
	}{
		{10 * time.Hour, 720 * time.Hour, ""},
		{time.Hour, time.Hour, ""},
		{time.Hour, time.Hour - 1, "REFRESH_LIFETIME"},
		{0, time.Hour, "TOKEN_LIFETIME"},
		{-1, time.Hour, "TOKEN_LIFETIME"},
		{time.Hour, 0, "REFRESH_LIFETIME"},
		{time.Hour, -1, "REFRESH_LIFETIME"},
		{0, 0, "TOKEN_LIFETIME"},
		{0, 0, "REFRESH_LIFETIME"},
	} {
		cfg := valid()
		cfg.TokenLifetime, cfg.RefreshLifetime = test.token, test.refresh
		err := cfg.Check()
		if test.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, test.want)
		}
	}
}

func TestSettingsThatCannotServeEndTheStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Config)
		want   string // "" for settings that can
	}{
		"no secret":                   {func(c *Config) { c.IdempotencySecret = "" }, "IDEMPOTENCY_SECRET_FILE"},
		"a short secret":              {func(c *Config) { c.IdempotencySecret = c.IdempotencySecret[1:] }, "IDEMPOTENCY_SECRET_FILE"},
		"no replica":                  {func(c *Config) { c.EventsReplicas = 0 }, "EVENTS_REPLICAS"},
		"more replicas than NATS has": {func(c *Config) { c.EventsReplicas = 6 }, "EVENTS_REPLICAS"},
		"three replicas":              {func(c *Config) { c.EventsReplicas = 3 }, ""},
		"no repeated refresh":         {func(c *Config) { c.RefreshRepeatWindow = 0 }, ""},
		"a window before the use":     {func(c *Config) { c.RefreshRepeatWindow = -1 }, "REFRESH_REPEAT_WINDOW"},
		"no time for requests":        {func(c *Config) { c.RequestTimeout = 0 }, "REQUEST_TIMEOUT"},
		"no time for last orders":     {func(c *Config) { c.LastOrdersTimeout = 0 }, "LAST_ORDERS_TIMEOUT"},
		"no time to drain":            {func(c *Config) { c.DrainTime = 0 }, ""},
		"less than none":              {func(c *Config) { c.DrainTime = -1 }, "DRAIN_TIME"},
		"as long as the whole end":    {func(c *Config) { c.DrainTime = c.ShutdownTimeout }, "DRAIN_TIME"},
	} {
		cfg := valid()
		test.change(&cfg)
		err := cfg.Check()
		if test.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, test.want, name)
		require.NotContains(t, fmt.Sprint(err, cfg), "sss", "%s: the secret was shown", name)
	}
}
