package mysqlx_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// meddle stands between a client and the server at target, hands the server's greeting to play, which talks to the
// client and returns how much it got out of it, and ends the connection. got is the sum of that.
func meddle(t *testing.T, target string, play func(client net.Conn, greeting []byte) int) (addr string, got func() int64) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var total atomic.Int64
	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer client.Close()
				if greeting, err := greetingOf(target); err == nil {
					total.Add(int64(play(client, greeting)))
				}
			})
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		group.Wait()
	})
	return listener.Addr().String(), total.Load
}

// greetingOf is the first packet of a server.
func greetingOf(target string) ([]byte, error) {
	server, err := net.Dial("tcp", target)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	header := make([]byte, 4)
	if _, err := io.ReadFull(server, header); err != nil {
		return nil, err
	}
	payload := make([]byte, int(header[0])|int(header[1])<<8|int(header[2])<<16)
	_, err = io.ReadFull(server, payload)
	return append(header, payload...), err
}

// hideTLS removes the server's offer of TLS from its greeting, as somebody on the way would who wants the password.
func hideTLS(client net.Conn, greeting []byte) int {
	const (
		offersTLS = 1 << 11
		// After header, protocol version, text of the version with its end, thread, half a challenge and a zero.
		fixed = 4 + 8 + 1
	)
	capabilities := greeting[4+1+bytes.IndexByte(greeting[5:], 0)+1+fixed:]
	binary.LittleEndian.PutUint16(capabilities, binary.LittleEndian.Uint16(capabilities)&^offersTLS)
	if _, err := client.Write(greeting); err != nil {
		return 0
	}
	count, _ := io.Copy(io.Discard, client)
	return int(count)
}
