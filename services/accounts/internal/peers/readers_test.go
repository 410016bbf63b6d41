package peers_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/peers"
	"oms.internal/libs/consistency"
	"oms.internal/libs/devenv"
	"oms.internal/libs/natsx"
)

func TestMain(m *testing.M) { devenv.Main(m) }

var discard = slog.New(slog.DiscardHandler)

// writing is a request that has written something.
func writing(ctx context.Context, token consistency.Token) context.Context {
	ctx = consistency.Into(ctx, 0)
	consistency.Wrote(ctx, token)
	return ctx
}

func TestWhatWasWrittenIsRememberedAndToldToTheGateways(t *testing.T) {
	t.Parallel()
	server := devenv.NewNATS(t, "")
	conn, err := natsx.Connect(natsx.Config{URL: server.URL()}, discard)
	require.NoError(t, err)
	defer conn.Close()
	require.Eventually(t, conn.IsConnected, time.Minute, 5*time.Millisecond)
	heard, err := conn.SubscribeSync(consistency.SubjectWritten)
	require.NoError(t, err)
	memory := consistency.NewMemory(time.Now)
	readers := peers.NewReaders(memory, conn, discard)

	request := writing(t.Context(), 50)
	readers.Wrote(request, 7, 7, 8)
	readers.Wrote(consistency.Into(t.Context(), 99), 9) // it has written nothing
	readers.Wrote(t.Context(), 9)                       // nobody asks
	require.Equal(t, consistency.Token(50), memory.Of(7))
	require.Equal(t, consistency.Token(50), memory.Of(8))
	require.Zero(t, memory.Of(9))
	require.Equal(t, []uint64{7, 8}, consistency.Told(request))

	// What waits when the process ends is told, too.
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, readers.Run(ended))
	require.NoError(t, conn.Flush())
	message, err := heard.NextMsg(10 * time.Second)
	require.NoError(t, err)
	var content consistency.Written
	require.NoError(t, json.Unmarshal(message.Data, &content))
	require.Equal(t, consistency.Written{MemberIDs: []uint64{7, 8}, Token: 50}, content)
	pending, _, err := heard.Pending()
	require.NoError(t, err)
	require.Zero(t, pending)
}

func TestNobodyWaitsForNATSAndWhatWaitsForItIsBounded(t *testing.T) {
	t.Parallel()
	conn, err := natsx.Connect(natsx.Config{URL: "nats://127.0.0.1:1"}, discard)
	require.NoError(t, err)
	defer conn.Close()
	memory := consistency.NewMemory(time.Now)
	readers := peers.NewReaders(memory, conn, discard)
	began := time.Now()
	for id := range uint64(5000) { // nothing takes them
		readers.Wrote(writing(t.Context(), 50), id+1)
	}
	require.Equal(t, consistency.Token(50), memory.Of(5000))
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, readers.Run(ended))
	require.Less(t, time.Since(began), 10*time.Second)
}
