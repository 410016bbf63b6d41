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

func TestWhatIsPublishedIsNotedByWhoeverListens(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	service, gateway := connect(t, server, "orders"), connect(t, server, "gateway")
	publisher, memory := consistencynats.NewPublisher(service, discard), consistency.NewMemory(time.Now)
	testservers.Run(t, func(ctx context.Context) error { return consistencynats.Listen(ctx, gateway, memory, discard) })
	require.Eventually(t, func() bool { return gateway.NumSubscriptions() == 1 }, patience, time.Millisecond)
	require.NoError(t, gateway.FlushTimeout(patience))
	require.NoError(t, service.Publish(consistency.SubjectWritten, []byte("garbage")))

	end := testservers.Run(t, publisher.Run)
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
