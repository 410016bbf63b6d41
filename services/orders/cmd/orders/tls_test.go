package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
	"oms.internal/servers/testservers"
)

// place is what a process needs around it, with servers that speak TLS.
type place struct {
	authority *testservers.Authority
	environ   []string
}

func newPlace(t *testing.T) place {
	t.Helper()
	authority := testservers.NewAuthority(t)
	pair, broker := testservers.NewTLSPair(t, authority), testservers.NewTLSNATS(t, authority)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	public, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded}))
	return place{authority: authority, environ: []string{
		"HTTP_ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "MIGRATE_ON_START=true",
		"MYSQL_HOSTS=" + pair.Hosts(), "MYSQL_DATABASE=" + schema.Name,
		"MYSQL_USER=" + schema.App.User, "MYSQL_PASSWORD_FILE=" + file(t, schema.App.Password),
		"MYSQL_MIGRATE_USER=" + schema.Migrate.User, "MYSQL_MIGRATE_PASSWORD_FILE=" + file(t, schema.Migrate.Password),
		"NATS_URL=" + broker.URL(), "NATS_PASSWORD_FILE=" + file(t, "password"),
		"PRINCIPAL_PUBLIC_KEY_FILE=" + file(t, key),
	}}
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// start runs the process until the test ends and returns where its readiness can be asked.
func (p place) start(t *testing.T, more ...string) string {
	t.Helper()
	cfg, err := config.Load[Config](append(more, p.environ...))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	listening, ended := make(chan Addresses, 1), make(chan error, 1)
	go func() {
		ended <- run(ctx, cfg, slog.New(slog.DiscardHandler), func(addresses Addresses) { listening <- addresses })
	}()
	t.Cleanup(cancel)
	select {
	case addresses := <-listening:
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Log("ended while it was not ready:", err)
			}
		})
		return "http://" + addresses.Admin.String() + "/readyz"
	case err := <-ended:
		require.NoError(t, err)
		return ""
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	response, err := http.Get(url) // #nosec G107 -- this test's own process
	if err != nil {
		return 0
	}
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestTheProcessWorksOverTLSAndIsNotReadyWithoutVerifiedServers(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	other := testservers.NewAuthority(t).File
	verified := place.start(t, "MYSQL_TLS_CA_FILE="+place.authority.File, "NATS_TLS_CA_FILE="+place.authority.File)
	require.Eventually(t, func() bool { return status(t, verified) == http.StatusOK }, patience, 10*time.Millisecond)
	for name, settings := range map[string][]string{
		"database of another authority": {"MYSQL_TLS_CA_FILE=" + other, "NATS_TLS_CA_FILE=" + place.authority.File},
		"broker of another authority":   {"MYSQL_TLS_CA_FILE=" + place.authority.File, "NATS_TLS_CA_FILE=" + other},
	} {
		unverified := place.start(t, settings...)
		require.Never(t, func() bool { return status(t, unverified) == http.StatusOK }, 2*time.Second, 50*time.Millisecond, name)
	}
}

func TestAnAuthorityThatCannotBeReadEndsTheStart(t *testing.T) {
	t.Parallel()
	public := file(t, "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n")
	for _, key := range []string{"MYSQL_TLS_CA_FILE", "NATS_TLS_CA_FILE"} {
		cfg, err := config.Load[Config]([]string{
			"HTTP_ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "MYSQL_HOSTS=127.0.0.1:1", "MYSQL_PASSWORD_FILE=" + file(t, "x"),
			"NATS_URL=nats://127.0.0.1:1", "NATS_PASSWORD_FILE=" + file(t, "x"), "PRINCIPAL_PUBLIC_KEY_FILE=" + public, key + "=/missing.pem",
		})
		require.NoError(t, err)
		err = run(t.Context(), cfg, slog.New(slog.DiscardHandler), func(Addresses) {})
		require.ErrorContains(t, err, "/missing.pem")
	}
}
