package httpx_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

// certified returns the settings of a server of TLS and of clients that trust it.
func certified(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	issued := httptest.NewUnstartedServer(nil)
	issued.StartTLS() // for its certificate
	t.Cleanup(issued.Close)
	client = issued.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName = "example.com"
	client.DynamicRecordSizingDisabled = true // so that a record is as large as it may be
	return &tls.Config{Certificates: issued.TLS.Certificates, MinVersion: tls.VersionTLS12}, client
}

// record is one of the handshake, of which so much is announced.
func record(announced int, content string) string {
	return string(binary.BigEndian.AppendUint16([]byte{22, 3, 1}, uint16(announced))) + content
}

// halfHello is all but the last byte of the longest ClientHello that crypto/tls reads.
func halfHello() string {
	const longest, most = 1 << 16, 16 << 10 // bytes of the message, and of a record
	left := "\x01\x01\x00\x00" + strings.Repeat("x", longest-1)
	var text strings.Builder
	for len(left) > 0 {
		piece := left[:min(most, len(left))]
		text.WriteString(record(len(piece), piece))
		left = left[len(piece):]
	}
	return text.String()
}

// openFrom connects from one of this machine's addresses. The server may end the connection at any time.
func (s *server) openFrom(t *testing.T, address string) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", s.addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Ways to have TLS take memory, before the handshake and after it.
func tlsHolds(trusting *tls.Config) map[string]func(net.Conn) {
	send := func(texts ...string) func(net.Conn) {
		return func(conn net.Conn) {
			for _, text := range texts {
				_, _ = io.WriteString(conn, text)
			}
		}
	}
	announced := record(16<<10, "")
	return map[string]func(net.Conn){
		"half a ClientHello":                  send(halfHello()),
		"an announced record":                 send(announced),
		"one that is announced in pieces":     send(announced[:4], announced[4:]),
		"one that is announced behind others": send(record(8, "\x01\x01\x00\x00xxxx") + announced),
		"a large record that has come": func(conn net.Conn) {
			_, _ = io.WriteString(tls.Client(conn, trusting), "GET /nowhere HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 15<<10)+"\r\n\r\n")
		},
	}
}

// Not parallel: it looks at the memory of the whole process.
func TestWhatTLSTakesForAClientComesFromTheShareOfItsNetwork(t *testing.T) {
	const clients, share = 400, httpx.ArrivingBytesForTest/2 + 16<<10 // what is free when the last one comes
	settings, trusting := certified(t)
	for name, hold := range tlsHolds(trusting) {
		t.Run(name, func(t *testing.T) {
			server := startOn(t, httpx.Encrypted(listen(t), settings), func(options *httpx.Options) {
				bySource(options)
				options.Now = func() time.Time { return time.Unix(1_800_000_000, 0) } // nobody is waited for longer than a moment
			}, echo)
			before, held := heap(), make([]net.Conn, clients)
			for i := range held {
				held[i] = server.openFrom(t, "127.0.0.2")
				hold(held[i])
				go func() { _, _ = io.Copy(io.Discard, held[i]) }()
			}
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.Positive(c, values(t, server.metrics)["fairshare_refusals_total share"])
				assert.Less(c, heap()-before, 24.0)
			}, time.Minute, 50*time.Millisecond)
			require.LessOrEqual(t, int(server.gauge(t, "fairshare_used")), share)

			other := tls.Client(server.openFrom(t, "127.0.0.3"), trusting)
			_, err := io.WriteString(other, "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			require.NoError(t, err)
			require.Equal(t, http.StatusNotFound, readToEnd(t, other), "another network is served")
			for _, conn := range held {
				_ = conn.Close()
			}
			require.Eventually(t, func() bool {
				return server.gauge(t, "fairshare_used") == 0
			}, time.Minute, 50*time.Millisecond, "all is given back")
		})
	}
}
