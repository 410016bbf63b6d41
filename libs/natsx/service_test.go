package natsx_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/natsx"
	"oms.internal/servers/natsserver"
)

const (
	subject = "oms.rpc.test.do"
	patient = 30 * time.Second // for what is over at once unless something is broken
)

type question struct {
	Text string `json:"text"`
}

type reply struct {
	Text string `json:"text"`
}

var discard = slog.New(slog.DiscardHandler)

// connect opens a connection that is closed with the test.
func connect(t *testing.T, server *natsserver.Server, user string) *nats.Conn {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: server.URL(), User: user, Password: user}, discard)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// instance is one running service.
type instance struct {
	conn  *nats.Conn
	stop  context.CancelFunc
	ended <-chan error
}

// serve runs a service with one endpoint, on a connection of its own, and returns when the server knows it.
func serve(t *testing.T, server *natsserver.Server, handle func(context.Context, question) (reply, error)) instance {
	t.Helper()
	result := begin(t, server, handle)
	// Besides its endpoint, a micro service answers three verbs, each under three subjects.
	require.Eventually(t, func() bool { return result.conn.NumSubscriptions() == 10 }, patient, time.Millisecond)
	require.NoError(t, result.conn.FlushTimeout(patient))
	return result
}

func begin(t *testing.T, server *natsserver.Server, handle func(context.Context, question) (reply, error)) instance {
	t.Helper()
	conn := connect(t, server, "service")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- natsx.Serve(ctx, conn, "test", discard, natsx.NewEndpoint("do", subject, handle))
	}()
	t.Cleanup(cancel)
	return instance{conn: conn, stop: cancel, ended: ended}
}

func echo(_ context.Context, asked question) (reply, error) { return reply(asked), nil }

// ask calls the service with time enough.
func ask(t *testing.T, conn *nats.Conn, text string) (reply, error) {
	t.Helper()
	return askWithin(t, conn, text, patient)
}

func askWithin(t *testing.T, conn *nats.Conn, text string, timeout time.Duration) (reply, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return natsx.Call[reply](ctx, conn, subject, question{text})
}
