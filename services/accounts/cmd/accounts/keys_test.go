package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/token"
	"oms.internal/libs/config"
	"oms.internal/libs/devenv"
)

func TestMain(m *testing.M) { devenv.Main(m) }

const patience = 30 * time.Second

// settings are those of a process on real servers, with one signing key.
func settings(t *testing.T) Config {
	t.Helper()
	pair, schema := devenv.NewSchema(t)
	dir := t.TempDir()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	keysDir := filepath.Join(dir, "token-keys")
	require.NoError(t, os.Mkdir(keysDir, 0o700))
	_, err = token.Rotate(keysDir, time.Now(), time.Hour)
	require.NoError(t, err)
	environ := []string{
		"HTTP_ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "MYSQL_HOSTS=" + pair.Hosts(), "MYSQL_DATABASE=" + schema.Name,
		"MYSQL_USER=" + schema.App.User, "MYSQL_PASSWORD_FILE=" + write("app", []byte(schema.App.Password)),
		"MYSQL_MIGRATE_USER=" + schema.Migrate.User, "MYSQL_MIGRATE_PASSWORD_FILE=" + write("migrate", []byte(schema.Migrate.Password)),
		"MIGRATE_ON_START=true", "NATS_URL=" + devenv.NewNATS(t, "").URL(), "NATS_PASSWORD_FILE=" + write("nats", nil),
		"PRINCIPAL_PUBLIC_KEY_FILE=" + write("principal.pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded})),
		"TOKEN_KEYS_DIR=" + keysDir,
	}
	cfg, err := config.Load[Config](environ)
	require.NoError(t, err)
	return cfg
}

// published returns the ids of the keys that a running service publishes.
func published(t *testing.T, addr string) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/.well-known/jwks.json", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var set struct {
		Keys []struct {
			KID string `json:"kid"`
		} `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(content, &set), "%s", content)
	var ids []string
	for _, key := range set.Keys {
		ids = append(ids, key.KID)
	}
	return ids
}

func TestARotationByAnOperatorReachesTheRunningServiceAndIsWrittenDown(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	log := slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(t.Context())
	listening, ended := make(chan Addresses, 1), make(chan error, 1)
	go func() { ended <- run(ctx, cfg, log, func(addresses Addresses) { listening <- addresses }) }()
	addr := (<-listening).HTTP.String()
	before := published(t, addr)
	require.Len(t, before, 1)

	service, err := assemble(ctx, cfg, log)
	require.NoError(t, err)
	defer service.conn.Close()
	defer func() { require.NoError(t, service.cluster.Close()) }()
	var out bytes.Buffer
	require.Eventually(t, func() bool { // the schema is being migrated
		out.Reset()
		return keys(ctx, cfg, log, []string{"rotate"}, &out) == nil
	}, patience, 100*time.Millisecond)
	require.Regexp(t, `^added \S+\.pem \(key id \S+\)`, out.String())
	id := strings.TrimSuffix(strings.SplitN(out.String(), "key id ", 2)[1], "); it signs in a few seconds\n")
	require.Eventually(t, func() bool { return slices.Contains(published(t, addr), id) }, patience, 50*time.Millisecond)
	require.Subset(t, published(t, addr), before)

	var details []string
	for _, pool := range service.cluster.Pools() {
		rows, err := pool.QueryContext(ctx, "SELECT detail FROM audit_events WHERE action = 'key_rotation' AND @@read_only = 0")
		require.NoError(t, err)
		for rows.Next() {
			var detail string
			require.NoError(t, rows.Scan(&detail))
			details = append(details, detail)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	require.Equal(t, []string{"added " + id}, details)
	require.Error(t, keys(ctx, cfg, log, nil, &out))
	stop()
	require.NoError(t, <-ended)
}
