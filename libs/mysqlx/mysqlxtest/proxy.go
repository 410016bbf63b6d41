package mysqlxtest

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Loss is when a Proxy loses the connection on which a COMMIT comes.
type Loss int32

// The losses.
const (
	Never          Loss = iota
	BeforeCommit        // the server never hears of the COMMIT
	AfterCommit         // the server has committed, and its answer is lost
	AfterOneCommit      // as AfterCommit, for the next COMMIT alone
)

// Proxy stands between a cluster and its primary.
type Proxy struct {
	// Commits is how many COMMITs have come.
	Commits atomic.Int32

	listener net.Listener
	target   string
	loss     atomic.Int32
}

// NewProxy returns a proxy to the server at target that loses nothing yet. It ends with the test.
func NewProxy(t *testing.T, target string) *Proxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	result := &Proxy{listener: listener, target: target}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { result.serve(client) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		group.Wait()
	})
	return result
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Lose says what becomes of COMMITs from now on.
func (p *Proxy) Lose(when Loss) { p.loss.Store(int32(when)) }

// serve forwards one connection until either side closes it or it is lost.
func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	var lost atomic.Bool
	var group sync.WaitGroup
	group.Go(func() {
		forwardAnswers(server, client, &lost)
		_ = client.Close()
	})
	p.forwardRequests(client, server, &lost)
	if !lost.Load() {
		_ = server.Close()
	}
	group.Wait()
}

// forwardAnswers copies what the server says. Once the connection is lost, it waits for one more answer and keeps it.
func forwardAnswers(server io.Reader, client io.Writer, lost *atomic.Bool) {
	buffer := make([]byte, 64<<10)
	for {
		count, err := server.Read(buffer)
		if lost.Load() || err != nil {
			return
		}
		if _, err := client.Write(buffer[:count]); err != nil {
			return
		}
	}
}

// forwardRequests copies what the client says, packet by packet: three bytes of length, one of sequence, the command.
func (p *Proxy) forwardRequests(client io.Reader, server io.Writer, lost *atomic.Bool) {
	for {
		header := make([]byte, 4)
		if _, err := io.ReadFull(client, header); err != nil {
			return
		}
		payload := make([]byte, int(header[0])|int(header[1])<<8|int(header[2])<<16)
		if _, err := io.ReadFull(client, payload); err != nil {
			return
		}
		if bytes.Equal(payload, []byte("\x03COMMIT")) {
			p.Commits.Add(1)
			switch Loss(p.loss.Load()) {
			case BeforeCommit:
				return
			case AfterOneCommit:
				p.Lose(Never)
				lost.Store(true)
			case AfterCommit:
				lost.Store(true)
			case Never:
			}
		}
		if _, err := server.Write(append(header, payload...)); err != nil {
			return
		}
	}
}
