// Package nats holds the configuration of the NATS server, and the test that it gives each user what it needs and no more.
package nats_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/servers/natsserver"

	"oms.internal/deploy/internal/secret"
)

// start runs a server with the real configuration and new secrets.
func start(t *testing.T) (server *natsserver.Server, secrets string) {
	t.Helper()
	dir := t.TempDir()
	server, err := natsserver.Start(t.Context(), natsserver.Options{ConfigFile: configure(t, dir, "")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server, filepath.Join(dir, "secrets")
}

// configure writes new secrets and the real configuration, with more at its end, and returns the latter's file.
func configure(t *testing.T, dir, more string) string {
	t.Helper()
	secrets := filepath.Join(dir, "secrets")
	require.NoError(t, secret.Ensure(secrets, time.Now()))
	passwords, err := secret.NATSPasswords(secrets)
	require.NoError(t, err)
	config, err := os.ReadFile("nats.conf")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "passwords.conf"), []byte(passwords), 0o600))
	file := filepath.Join(dir, "nats.conf")
	require.NoError(t, os.WriteFile(file, append(config, "\n"+more+"\n"...), 0o600))
	return file
}

func connect(t *testing.T, server *natsserver.Server, secrets, user string) *nats.Conn {
	t.Helper()
	password, err := secret.Read(secrets, "nats-"+user)
	require.NoError(t, err)
	connection, err := nats.Connect(server.URL(), nats.UserInfo(user, password), nats.CustomInboxPrefix("_INBOX_"+user),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})) // the default one prints what is expected here
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	return connection
}

// allowed tells whether the server took what was sent before.
func allowed(t *testing.T, connection *nats.Conn) bool {
	t.Helper()
	require.NoError(t, connection.Flush())
	if err := connection.LastError(); err != nil {
		require.ErrorIs(t, err, nats.ErrPermissionViolation)
		return false
	}
	return true
}

func TestAServiceMayAnswerWhoeverAskedIt(t *testing.T) {
	t.Parallel()
	server, secrets := start(t)
	orders, accounts := connect(t, server, secrets, "orders"), connect(t, server, secrets, "accounts")
	_, err := orders.QueueSubscribe("oms.rpc.orders.>", "orders", func(message *nats.Msg) { _ = message.Respond(message.Data) })
	require.NoError(t, err)
	require.NoError(t, orders.Flush())
	answer, err := accounts.Request("oms.rpc.orders.last", []byte("hello"), 5*time.Second)
	require.NoError(t, err)
	require.Equal(t, "hello", string(answer.Data))
}

func TestJetStreamIsOnAndNobodyGetsInWithoutAPassword(t *testing.T) {
	t.Parallel()
	server, secrets := start(t)
	jetStream, _ := connect(t, server, secrets, "ops").ConnectedServerJetStream()
	require.True(t, jetStream)
	_, err := nats.Connect(server.URL())
	require.ErrorIs(t, err, nats.ErrAuthorization)
}
