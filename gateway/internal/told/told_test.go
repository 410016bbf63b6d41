package told

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/httpx"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

// clock is moved by the test.
type clock struct{ moved atomic.Int64 }

var clockStart = time.Now()

func (c *clock) now() time.Time           { return clockStart.Add(time.Duration(c.moved.Load())) }
func (c *clock) advance(by time.Duration) { c.moved.Add(int64(by)) }

// sure returns members of a gateway that has been running for long enough to know what it told.
func sure(conn *nats.Conn) (*Members, *clock) {
	watch := &clock{}
	members := New(conn, slog.New(slog.DiscardHandler), watch.now)
	watch.advance(unsureFor)
	return members, watch
}

func answer(token, told string) http.Header {
	header := http.Header{}
	header.Set(consistency.Header, token)
	if told != "" {
		header.Set(httpx.HeaderTold, told)
	}
	return header
}

func TestGatewayThatHasJustStartedAsksForTheNewest(t *testing.T) {
	t.Parallel()
	watch := &clock{}
	members := New(nil, slog.New(slog.DiscardHandler), watch.now)
	require.Equal(t, consistency.Newest, members.Token(7, 0))
	require.Equal(t, consistency.Newest, members.Token(0, 5), "anonymous callers were told things too")
	members.Hear(7, answer("50", ""))
	watch.advance(unsureFor - 1)
	require.Equal(t, consistency.Newest, members.Token(7, 5))
	watch.advance(1)
	require.Equal(t, consistency.Token(50), members.Token(7, 5))
	require.Equal(t, consistency.Token(5), members.Token(0, 5))
}

func TestMemberMustSeeTheLaterOfWhatWasToldAndWhatItBears(t *testing.T) {
	t.Parallel()
	members, _ := sure(nil)
	members.Hear(7, answer("50", ""))
	members.Hear(7, answer("40", ""))
	require.Equal(t, consistency.Token(50), members.Token(7, 0))
	require.Equal(t, consistency.Token(50), members.Token(7, 49))
	require.Equal(t, consistency.Newest, members.Token(7, consistency.Newest), "the primary serves it")
	require.Equal(t, consistency.Token(50), members.Token(7, 0), "the client's word is not remembered")
	require.Equal(t, consistency.Token(3), members.Token(8, 3))
}

func TestAnswerTellsThoseWhomItNames(t *testing.T) {
	t.Parallel()
	members, _ := sure(nil)
	members.Hear(0, answer("50", "7,8"))
	require.Equal(t, consistency.Token(50), members.Token(7, 0))
	require.Equal(t, consistency.Token(50), members.Token(8, 0))
	require.Zero(t, members.Token(0, 0), "an anonymous caller is nobody")
	require.Zero(t, members.Token(9, 0))
	members.Hear(0, answer("60", "x,,-1,9"))
	require.Equal(t, consistency.Token(60), members.Token(9, 0))
	members.Hear(9, answer("garbage", "9"))
	members.Hear(9, http.Header{})
	require.Equal(t, consistency.Token(60), members.Token(9, 0))
}

func TestWritesThroughOtherGatewaysAreHeardOf(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	connect := func(user string) *nats.Conn {
		conn, err := natsx.Connect(natsx.Config{URL: server.URL(), User: user}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		return conn
	}
	members, _ := sure(connect("gateway"))
	service := connect("orders")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- members.Run(ctx) }()

	message, err := json.Marshal(consistency.Written{MemberIDs: []uint64{7, 0, 8}, Token: 50})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		// The connection and the subscription come about in their own time.
		if service.Publish(consistency.SubjectWritten, []byte("garbage")) != nil {
			return false
		}
		return service.Publish(consistency.SubjectWritten, message) == nil && members.Token(8, 0) == 50
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, consistency.Token(50), members.Token(7, 0))
	require.Zero(t, members.Token(0, 0))
	stop()
	require.NoError(t, <-ended)
}
