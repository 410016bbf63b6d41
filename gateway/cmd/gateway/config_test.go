package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
)

func validEnv(t *testing.T) map[string]string {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("a-password-of-the-gateway"), 0o600))
	return map[string]string{
		"NATS_URL": "nats://nats:4222", "NATS_PASSWORD_FILE": password, "PRINCIPAL_PRIVATE_KEY_FILE": "key.pem",
		"ACCOUNTS_URL": "http://accounts:8000/", "ORDERS_URL": "http://orders-1:8000, http://orders-2:8000",
	}
}

func TestTheConfigurationHasTheDocumentedDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load[Config](environ(validEnv(t)))
	require.NoError(t, err)
	require.Equal(t, ":8080", cfg.HTTPAddr)
	require.Equal(t, "127.0.0.1:8081", cfg.AdminAddr)
	require.Equal(t, "http://accounts:8000", cfg.AccountsURL.String())
	require.Equal(t, "http://orders-1:8000,http://orders-2:8000", cfg.OrdersURL.String())
	require.Equal(t, "1s", cfg.DrainTime.String())
	require.Equal(t, "5s", cfg.UpstreamTimeout.String())
	require.Equal(t, "10s", cfg.ShutdownTimeout.String())
	require.Equal(t, "30s", cfg.RevocationMaxStaleness.String())
	require.Equal(t, []string{"200/400", "500/1000"}, []string{cfg.RateLimitMember.String(), cfg.RateLimitAddress.String()})
	require.Equal(t, 1000, cfg.ConnectionsPerAddress)
	require.False(t, cfg.AdminProfiles)
	require.True(t, cfg.Pages)
	require.Equal(t, []string{"oms", "oms", "gateway"}, []string{cfg.TokenIssuer, cfg.TokenAudience, cfg.NATSUser})
	require.Empty(t, cfg.nats().TLSCAFile)
}

func TestWhatTheOperatorSetsCounts(t *testing.T) {
	t.Parallel()
	env := validEnv(t)
	env["DRAIN_TIME"], env["NATS_TLS_CA_FILE"] = "0s", "nats.pem"
	cfg, err := config.Load[Config](environ(env))
	require.NoError(t, err)
	require.Zero(t, cfg.DrainTime, "a gateway need not drain")
	require.Equal(t, "nats.pem", cfg.nats().TLSCAFile)
}

func TestAWrongConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	for key, values := range map[string][]string{
		"ACCOUNTS_URL":               {"", "accounts:8000", "ftp://accounts", "http://", "http://a/path", "http://u@a", "http://a?b"},
		"ORDERS_URL":                 {"/orders", "http://a,", ",http://a", "http://a,http://b/path", "http://a,http://a/"},
		"DRAIN_TIME":                 {"-1s", "1", "10s"},
		"UPSTREAM_TIMEOUT":           {"0s", "-1s", "5"},
		"SHUTDOWN_TIMEOUT":           {"-1s"},
		"REVOCATION_MAX_STALENESS":   {"0s", "-1s", "30"},
		"TRUSTED_PROXIES":            {"everyone", "10.0.0.0/99"},
		"CONNECTIONS_PER_ADDRESS":    {"-1", "many"},
		"ANSWER_BYTES":               {"-1", "0", "8388607", "8MiB"},
		"RATE_LIMIT_MEMBER":          {"200", "0/0", "many"},
		"RATE_LIMIT_ADDRESS":         {"-1/5"},
		"CORS_ALLOWED_ORIGINS":       {"shop.test", "*,https://shop.test"},
		"CORS_ALLOWED_HEADERS":       {"X Y", "*", "a,", "Authorization,authorization"},
		"TLS_CERT_FILE":              {"cert.pem"},
		"TLS_KEY_FILE":               {"key.pem"},
		"LOG_LEVEL":                  {"loud"},
		"NATS_PASSWORD_FILE":         {"/nowhere/at/all"},
		"NATS_URL":                   {""},
		"PRINCIPAL_PRIVATE_KEY_FILE": {""},
		"UPSTREAM_TIMEOUTS":          {"5s"},
	} {
		for _, value := range values {
			changed := maps.Clone(validEnv(t))
			changed[key] = value
			_, err := config.Load[Config](environ(changed))
			require.Error(t, err, "%s=%s", key, value)
		}
	}
}
