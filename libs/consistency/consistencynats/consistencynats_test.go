package consistencynats_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencynats"
	"oms.internal/libs/natsx"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

const patience = time.Minute

var discard = slog.New(slog.DiscardHandler)

func connect(t *testing.T, server *natsserver.Server, user string) *nats.Conn {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: server.URL(), User: user}, discard)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, conn.IsConnected, patience, time.Millisecond)
	return conn
}

// start runs something until the test ends, or stop is called.
func start(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(t, <-ended)
	}
	t.Cleanup(stop)
	return stop
}

func TestWhatIsPublishedIsNotedByWhoeverListens(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	service, gateway := connect(t, server, "orders"), connect(t, server, "gateway")
	publisher, memory := consistencynats.NewPublisher(service, discard), consistency.NewMemory(time.Now)
	start(t, func(ctx context.Context) error { return consistencynats.Listen(ctx, gateway, memory, discard) })
	require.Eventually(t, func() bool { return gateway.NumSubscriptions() == 1 }, patience, time.Millisecond)
	require.NoError(t, gateway.FlushTimeout(patience))
	require.NoError(t, service.Publish(consistency.SubjectWritten, []byte("garbage")))

	end := start(t, publisher.Run)
	publisher.Publish(consistency.Written{MemberIDs: []uint64{7, 0, 8}, Token: 50})
	require.Eventually(t, func() bool { return memory.Of(8) == 50 }, patience, time.Millisecond)
	require.Equal(t, consistency.Token(50), memory.Of(7))
	require.Zero(t, memory.Of(0))

	end()
	publisher.Publish(consistency.Written{MemberIDs: []uint64{9}, Token: 60})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, publisher.Run(ended))
	require.Eventually(t, func() bool { return memory.Of(9) == 60 }, patience, time.Millisecond, "what waits at the end is published")
}

func TestPublishingNeverWaitsAndWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	conn, err := natsx.Connect(natsx.Config{URL: "nats://127.0.0.1:1"}, discard)
	require.NoError(t, err)
	defer conn.Close()
	publisher := consistencynats.NewPublisher(conn, discard)
	for id := range uint64(5000) { // nothing takes them
		publisher.Publish(consistency.Written{MemberIDs: []uint64{id + 1}, Token: 50})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, publisher.Run(ended))
}
