package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
)

func TestAuthoritiesForTLSReachTheDatabaseAndTheBroker(t *testing.T) {
	t.Parallel()
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte(strings.Repeat("x", 32)), 0o600))
	environ := []string{
		"MYSQL_HOSTS=a:1", "MYSQL_PASSWORD_FILE=" + password, "NATS_URL=nats://a:1", "NATS_PASSWORD_FILE=" + password,
		"PRINCIPAL_PUBLIC_KEY_FILE=key.pem", "TOKEN_KEYS_DIR=keys", "IDEMPOTENCY_SECRET_FILE=" + password,
	}
	cfg, err := config.Load[Config](environ)
	require.NoError(t, err)
	require.Empty(t, cfg.mysql().TLSCAFile)
	require.Empty(t, cfg.nats().TLSCAFile)
	cfg, err = config.Load[Config](append(environ, "MYSQL_TLS_CA_FILE=mysql.pem", "NATS_TLS_CA_FILE=nats.pem"))
	require.NoError(t, err)
	require.Equal(t, "mysql.pem", cfg.mysql().TLSCAFile)
	require.Equal(t, "mysql.pem", cfg.mysqlMigrate().TLSCAFile)
	require.Equal(t, "nats.pem", cfg.nats().TLSCAFile)
}
