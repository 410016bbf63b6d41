package httpx

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAStreamThatTakesTooLongIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn, client := net.Pipe()
		defer func() { require.NoError(t, conn.Close()) }()
		defer func() { require.NoError(t, client.Close()) }()
		body := &stream{
			ReadCloser: io.NopCloser(strings.NewReader("whole")), until: time.Now().Add(streamLimit), conn: conn, ctx: t.Context(),
		}
		buffer := make([]byte, 1)
		_, err := body.Read(buffer)
		require.NoError(t, err)
		<-time.After(streamLimit)
		_, err = body.Read(buffer)
		require.NoError(t, err)
		<-time.After(time.Nanosecond)
		_, err = body.Read(buffer)
		require.ErrorIs(t, err, errTooLong)
	})
}
