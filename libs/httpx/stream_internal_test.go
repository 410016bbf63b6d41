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

// paced notes when a write must be done.
type paced struct {
	net.Conn
	deadline time.Time
}

func (p *paced) SetWriteDeadline(deadline time.Time) error {
	p.deadline = deadline
	return nil
}

func TestAClientThatTakesAStreamByDripsLosesItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := &paced{}
		endless := io.NopCloser(strings.NewReader(strings.Repeat("x", 4*paceBytes)))
		body := &stream{ReadCloser: endless, until: time.Now().Add(streamLimit), unpaced: paceBytes, conn: conn, ctx: t.Context()}
		read := func(count int) {
			<-time.After(writeTimeout / 2)
			_, err := io.ReadFull(body, make([]byte, count))
			require.NoError(t, err)
		}
		read(1)
		require.Equal(t, time.Now().Add(writeTimeout), conn.deadline)
		read(paceBytes - 1)
		require.Equal(t, time.Now().Add(writeTimeout/2), conn.deadline, "what it took is not enough yet")
		read(1)
		require.Equal(t, time.Now().Add(writeTimeout), conn.deadline)
	})
}

// silent is a body of which each byte takes a while.
type silent struct{ wait time.Duration }

func (s silent) Read(into []byte) (int, error) {
	<-time.After(s.wait)
	into[0] = 'x'
	return 1, nil
}

func TestAClientIsNotChargedForTheTimeInWhichTheBodyIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := &paced{}
		body := &stream{
			ReadCloser: io.NopCloser(silent{2 * writeTimeout}), until: time.Now().Add(streamLimit), unpaced: paceBytes, conn: conn, ctx: t.Context(),
		}
		for i := range 8 {
			_, err := body.Read(make([]byte, 1))
			require.NoError(t, err)
			require.Equal(t, time.Now().Add(writeTimeout-time.Duration(i)*time.Second), conn.deadline)
			<-time.After(time.Second) // which the client takes
		}
	})
}
