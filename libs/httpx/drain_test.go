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
			// A busy machine may miss a short time, so the time grows until the test has seen it.
			for drain := time.Second; !answersWhileItDrains(t, httpx.Drain{Time: drain, Tell: tell}); drain *= 2 {
				require.Less(t, drain, time.Minute)
			}
		})
	}
}

// answersWhileItDrains reports whether the test was in time to see a server drain.
func answersWhileItDrains(t *testing.T, drain httpx.Drain) bool {
	t.Helper()
	began, release := make(chan struct{}), make(chan struct{})
	server := startToDrain(t, listen(t), drain, nil, func(app *fiber.App) {
		app.Get("/slow", func(c *fiber.Ctx) error {
			close(began)
			<-release
			return c.SendString("done")
		})
	})
	require.Empty(t, server.do(t, http.MethodGet, "/nowhere", "").header.Get(httpx.HeaderDraining))
	slow := server.send(t, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	defer slow.Close()
	<-began
	server.stop()

	// The stop reaches the server in its own time. From then on each answer says so, and no request is refused before.
	said, inTime := server.try(t)
	for inTime && said.header.Get("Connection") != "close" {
		said, inTime = server.try(t)
	}
	close(release)
	last, err := http.ReadResponse(bufio.NewReader(slow), nil)
	require.NoError(t, err)
	answers := []answer{readAnswer(t, last)}
	if inTime {
		answers = append(answers, said)
	}
	for _, got := range answers {
		require.Equal(t, "close", got.header.Get("Connection"))
		require.Equal(t, drain.Tell, got.header.Get(httpx.HeaderDraining) == "1")
	}
	require.NoError(t, <-server.ended)
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", server.addr)
	require.Error(t, err)
	return inTime
}

// try asks for a path that is not there, on a connection of its own; ok is false where nobody listens any more.
func (s *server) try(t *testing.T) (got answer, ok bool) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/nowhere", http.NoBody)
	require.NoError(t, err)
	response, err := (&http.Transport{}).RoundTrip(request)
	if err != nil {
		return answer{}, false
	}
	return readAnswer(t, response), true
}
