package natsx_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

// awaitConnected waits until the connection stands, or does not.
func awaitConnected(t *testing.T, conn *nats.Conn, connected bool) {
	t.Helper()
	require.Eventually(t, func() bool { return conn.IsConnected() == connected }, patient, time.Millisecond)
}

func TestServiceAndCallerGoOnAfterTheServerRestarts(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	serve(t, server, echo)
	caller := connect(t, server, "caller")
	for _, end := range []func() error{server.Kill, func() error { return server.Stop(t.Context()) }} {
		require.NoError(t, end())
		awaitConnected(t, caller, false)
		require.NoError(t, server.Restart(t.Context()))
		require.Eventually(t, func() bool {
			answered, err := ask(t, caller, "x")
			return err == nil && answered == reply{"x"}
		}, patient, 10*time.Millisecond)
	}
}

func TestCallsWithoutAConnectionFailAtOnceAndAreNotSentLater(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	var served atomic.Int64
	serve(t, server, func(_ context.Context, asked question) (reply, error) {
		served.Add(1)
		return reply(asked), nil
	})
	caller := connect(t, server, "caller")
	require.NoError(t, server.Kill())
	awaitConnected(t, caller, false)
	for range 10 {
		_, err := ask(t, caller, "lost")
		require.True(t, fault.Is(err, fault.Unavailable), "it did not wait for its deadline: %v", err)
	}
	require.NoError(t, server.Restart(t.Context()))
	require.Eventually(t, func() bool {
		_, err := ask(t, caller, "found")
		return err == nil
	}, patient, 10*time.Millisecond)
	require.EqualValues(t, 1, served.Load())
}

func TestConnectReturnsWithoutAServerAndFindsItLater(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	require.NoError(t, server.Kill())
	caller := connect(t, server, "caller")
	ready, healthy := natsx.Ready(caller), natsx.Healthy(caller)
	require.Error(t, ready())
	require.Error(t, healthy())
	service := begin(t, server, echo)
	_, err := ask(t, caller, "x")
	require.True(t, fault.Is(err, fault.Unavailable), err)

	require.NoError(t, server.Restart(t.Context()))
	require.Eventually(t, func() bool {
		answered, err := ask(t, caller, "x")
		return err == nil && answered == reply{"x"}
	}, patient, 10*time.Millisecond)
	require.NoError(t, ready())
	require.NoError(t, healthy())

	require.NoError(t, server.Kill())
	awaitConnected(t, caller, false)
	require.NoError(t, ready(), "a process that has started goes on without its broker")
	require.Error(t, healthy())
	awaitConnected(t, service.conn, false)
	service.stop()
	require.NoError(t, <-service.ended, "it ends without a server, too")
}

func TestAServerThatHangsIsNoticedWithinFiveSecondsAndOneThatIsSlowIsNot(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	caller := connect(t, server, "caller")
	awaitConnected(t, caller, true)
	// A connection ends with the ping after the last that may be unanswered, so a hang is noticed between these two times.
	shortest, longest := caller.Opts.PingInterval*time.Duration(caller.Opts.MaxPingsOut), caller.Opts.PingInterval*time.Duration(caller.Opts.MaxPingsOut+1)
	require.LessOrEqual(t, longest, 5*time.Second)
	require.GreaterOrEqual(t, shortest, 4*time.Second)

	healthy := natsx.Healthy(caller)
	require.NoError(t, server.Pause())
	awaitConnected(t, caller, false)
	require.Error(t, healthy())
	require.NoError(t, server.Continue())
	awaitConnected(t, caller, true)
	require.NoError(t, healthy())
}

func TestAUserNeedsNoMoreThanItsSubjectsAndItsOwnInbox(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, `authorization { users = [
		{ user: service, password: service, permissions: { subscribe: ["oms.rpc.test.>", "$SRV.>"], allow_responses: true } }
		{ user: caller, password: caller, permissions: { publish: ["oms.rpc.test.do"], subscribe: ["_INBOX_caller.>"] } }
	] }`)
	serve(t, server, echo)
	caller := connect(t, server, "caller")
	answered, err := ask(t, caller, "x")
	require.NoError(t, err)
	require.Equal(t, reply{"x"}, answered)
	stranger := connect(t, server, "stranger")
	require.False(t, stranger.IsConnected())
	_, err = ask(t, stranger, "x")
	require.True(t, fault.Is(err, fault.Unavailable), err)
}

func TestALostConnectionIsAWarningAndAClosedOneIsNot(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	for _, lost := range []bool{false, true} {
		out := make(lines, 64)
		conn, err := natsx.Connect(natsx.Config{URL: server.URL()}, slog.New(slog.NewTextHandler(out, nil)))
		require.NoError(t, err)
		require.Contains(t, out.next(t), `level=INFO msg="nats connected"`)
		if lost {
			require.NoError(t, server.Kill())
			require.Contains(t, out.next(t), `level=WARN msg="nats disconnected"`)
		}
		told := make(chan struct{}) // after all that is logged
		conn.SetClosedHandler(func(*nats.Conn) { close(told) })
		conn.Close()
		<-told
		if !lost {
			require.Empty(t, out)
		}
	}
}

// lines are what is logged, line by line.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func (l lines) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l:
		return line
	case <-time.After(patient):
		require.Fail(t, "nothing is logged")
		return ""
	}
}

func TestAnAddressThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	_, err := natsx.Connect(natsx.Config{URL: "nats://local host:x"}, discard)
	require.Error(t, err)
}
