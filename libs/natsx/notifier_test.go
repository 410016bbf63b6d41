package natsx_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

const patience = 30 * time.Second

// told collects what the gateways hear.
func told(t *testing.T) (conn *nats.Conn, next func() consistency.Written) {
	t.Helper()
	server := testservers.NewNATS(t, "")
	conn, err := nats.Connect(server.URL())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	heard, err := conn.SubscribeSync(consistency.SubjectWritten)
	require.NoError(t, err)
	require.NoError(t, conn.FlushTimeout(patience))
	return conn, func() consistency.Written {
		received, err := heard.NextMsg(patience)
		require.NoError(t, err)
		var written consistency.Written
		require.NoError(t, json.Unmarshal(received.Data, &written))
		return written
	}
}

func wrote(t *testing.T, token consistency.Token) context.Context {
	t.Helper()
	ctx := consistency.Into(t.Context(), 0)
	consistency.Wrote(ctx, token)
	return ctx
}

func TestMembersAreToldOfWritesAndOfNothingElse(t *testing.T) {
	t.Parallel()
	conn, next := told(t)
	memory := consistency.NewMemory(time.Now)
	notifier := natsx.NewWriteNotifier(memory, conn, slog.New(slog.DiscardHandler))
	notifier.Wrote(wrote(t, 0), 1, 2)
	notifier.Wrote(t.Context(), 1, 2)
	notifier.Wrote(wrote(t, 10), 1, 0, 2, 1)
	later := wrote(t, 20)
	notifier.Wrote(later, 2)
	require.Equal(t, []uint64{2}, consistency.Told(later), "so does the gateway that waits for the answer")
	require.Equal(t, consistency.Token(10), memory.Of(1))
	require.Equal(t, consistency.Token(20), memory.Of(2))

	// What waits at the end is still told.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, notifier.Run(ctx))
	require.Equal(t, consistency.Written{MemberIDs: []uint64{1, 2}, Token: 10}, next())
	require.Equal(t, consistency.Written{MemberIDs: []uint64{2}, Token: 20}, next())
}

func TestTellingNeverWaits(t *testing.T) {
	t.Parallel()
	conn, next := told(t)
	memory := consistency.NewMemory(time.Now)
	notifier := natsx.NewWriteNotifier(memory, conn, slog.New(slog.DiscardHandler))
	const many = 5000
	for id := range uint64(many) {
		notifier.Wrote(wrote(t, consistency.Token(id+1)), id+1)
	}
	require.Equal(t, consistency.Token(many), memory.Of(many), "this process remembers what others are not told of")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- notifier.Run(ctx) }()
	require.Equal(t, []uint64{1}, next().MemberIDs)
	cancel()
	require.NoError(t, <-ended)
}

func TestWithoutNATSNobodyWaitsAndWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	conn, err := natsx.Connect(natsx.Config{URL: "nats://127.0.0.1:1"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer conn.Close()
	memory := consistency.NewMemory(time.Now)
	notifier := natsx.NewWriteNotifier(memory, conn, slog.New(slog.DiscardHandler))
	for id := range uint64(5000) { // nothing takes them
		notifier.Wrote(wrote(t, 50), id+1)
	}
	require.Equal(t, consistency.Token(50), memory.Of(5000))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, notifier.Run(ctx))
}
