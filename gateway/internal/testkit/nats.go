package testkit

import (
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/natsx"
)

// Connect opens a connection with a NATS server as a user. It is closed with the test, and need not stand yet.
func Connect(t *testing.T, url, user string) *nats.Conn {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: url, User: user}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}
