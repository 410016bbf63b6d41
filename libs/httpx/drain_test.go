package httpx_test

import (
	"bufio"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

func TestADrainingServerStillAcceptsAndSaysThatItCloses(t *testing.T) {
	t.Parallel()
	for name, tell := range map[string]bool{"to clients": false, "to the gateway": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, release := make(chan struct{}), make(chan struct{})
			listener := listen(t)
			server := startToDrain(t, listener, httpx.Drain{Time: 3 * time.Second, Tell: tell}, nil, func(app *fiber.App) {
				echo(app)
				app.Get("/slow", func(c *fiber.Ctx) error {
					close(began)
					<-release
					return c.SendString("done")
				})
			})
			before := server.do(t, http.MethodPost, "/echo", "x")
			require.Empty(t, before.header.Get(httpx.HeaderDraining))
			slow := server.send(t, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
			defer slow.Close()
			<-began
			server.stop()

			// The stop reaches the server in its own time; from then on each answer says so, and none is refused before.
			require.Eventually(t, func() bool {
				return server.raw(t, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx").header.Get("Connection") == "close"
			}, 2*time.Second, time.Millisecond)
			close(release)
			last, err := http.ReadResponse(bufio.NewReader(slow), nil)
			require.NoError(t, err)
			for _, got := range []answer{
				readAnswer(t, last), server.do(t, http.MethodPost, "/echo", "x"), server.do(t, http.MethodGet, "/nowhere", ""),
			} {
				require.Equal(t, "close", got.header.Get("Connection"))
				require.Equal(t, tell, got.header.Get(httpx.HeaderDraining) == "1")
			}
			<-listener.closed
			require.NoError(t, <-server.ended)
			_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", server.addr)
			require.Error(t, err)
		})
	}
}
