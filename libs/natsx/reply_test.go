package natsx_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/servers/testservers"
)

// Who may ask a service could otherwise let it speak on any subject, in its name.
func TestAServiceRepliesToInboxesOnly(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	var served atomic.Int64
	serve(t, server, func(_ context.Context, asked question) (reply, error) {
		served.Add(1)
		return reply(asked), nil
	})
	caller := connect(t, server, "caller")
	heard, err := caller.SubscribeSync("oms.revocations")
	require.NoError(t, err)
	require.NoError(t, caller.PublishRequest(subject, "oms.revocations", []byte(`{"text":"x"}`)))
	require.NoError(t, caller.Publish(subject, []byte(`{"text":"x"}`)))
	// Requests of one connection are taken in their order.
	_, err = ask(t, caller, "y")
	require.NoError(t, err)
	require.EqualValues(t, 1, served.Load())
	_, err = heard.NextMsg(1)
	require.ErrorIs(t, err, nats.ErrTimeout)
}
