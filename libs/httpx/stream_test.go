package httpx_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/httpx"
)

// pieces returns so many pieces of 64 KiB, then nothing, or the failure.
func pieces(count int, failure error) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		if _, limited := ctx.Deadline(); !limited {
			return nil, errors.New("a piece has no deadline")
		}
		if count--; count < 0 {
			return nil, failure
		}
		return []byte(strings.Repeat("x", 64<<10)), ctx.Err()
	}
}

// streaming has an app answer with one stream at a time.
func streaming(next func() func(context.Context) ([]byte, error)) func(*fiber.App) {
	return counting(prometheus.NewRegistry(), next)
}

func counting(metrics *prometheus.Registry, next func() func(context.Context) ([]byte, error)) func(*fiber.App) {
	streams := httpx.NewStreams(1, metrics)
	return func(app *fiber.App) {
		app.Get("/", func(c *fiber.Ctx) error { return streams.Answer(c, next()) })
	}
}

func get(t *testing.T, s *server) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/", nil)
	require.NoError(t, err)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestAStreamIsSentPieceByPieceAfterTheRequestsDeadlineToo(t *testing.T) {
	t.Parallel()
	s := start(t, nil, streaming(func() func(context.Context) ([]byte, error) { return pieces(100, nil) }))
	for range 2 { // the place is free again
		response := get(t, s)
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.Equal(t, "1", response.Header.Get(httpx.HeaderStream))
		require.Equal(t, []string{"chunked"}, response.TransferEncoding)
		count, err := io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.Equal(t, int64(100*64<<10), count)
	}
}

func TestAFailureInTheFirstPieceIsAnAnswerAndALaterOneCutsTheConnection(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	s := start(t, nil, streaming(func() func(context.Context) ([]byte, error) { return pieces(0, broken) }))
	for range 2 {
		require.Equal(t, http.StatusInternalServerError, s.do(t, http.MethodGet, "/", "").status)
	}
	s = start(t, nil, streaming(func() func(context.Context) ([]byte, error) { return pieces(3, broken) }))
	for range 2 {
		response := get(t, s)
		require.Equal(t, http.StatusOK, response.StatusCode)
		_, err := io.Copy(io.Discard, response.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
}

func TestAClientOfHTTP10IsRefusedAStreamAndGivesThePlaceBack(t *testing.T) {
	t.Parallel()
	s := start(t, nil, streaming(func() func(context.Context) ([]byte, error) { return pieces(3, nil) }))
	for range 2 {
		var dialer net.Dialer
		conn, err := dialer.DialContext(t.Context(), "tcp", s.addr)
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET / HTTP/1.0\r\nHost: x.test\r\n\r\n")
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.Contains(t, string(answer), " 400 Bad Request\r\n")
		require.NotContains(t, string(answer), "chunked")
		require.Contains(t, string(answer), "This answer needs HTTP/1.1")
	}
	_, err := io.Copy(io.Discard, get(t, s).Body)
	require.NoError(t, err)
}

func TestMoreStreamsThanThereArePlacesForAreRefused(t *testing.T) {
	t.Parallel()
	goOn, metrics := make(chan struct{}), prometheus.NewRegistry()
	s := start(t, nil, counting(metrics, func() func(context.Context) ([]byte, error) {
		first := true
		return func(context.Context) ([]byte, error) {
			if first {
				first = false
				return []byte("x"), nil
			}
			<-goOn
			return nil, nil
		}
	}))
	running := get(t, s)
	refused := s.do(t, http.MethodGet, "/", "")
	require.Equal(t, http.StatusServiceUnavailable, refused.status)
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	require.Equal(t, map[string]float64{"fairshare_used": 1, "fairshare_refusals_total full": 1, "fairshare_refusals_total share": 0},
		values(t, metrics))
	close(goOn)
	whole, err := io.ReadAll(running.Body)
	require.NoError(t, err)
	require.Equal(t, "x", string(whole))
}

// values are those of all metrics, by name and reason.
func values(t *testing.T, metrics *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := metrics.Gather()
	require.NoError(t, err)
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				if label.GetName() == "reason" {
					name += " " + label.GetValue()
				}
			}
			found[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return found
}

func TestOneMemberCannotTakeAllPlacesForStreams(t *testing.T) {
	t.Parallel()
	streams := httpx.NewStreams(2, prometheus.NewRegistry())
	s := start(t, nil, func(app *fiber.App) {
		app.Get("/:member", func(c *fiber.Ctx) error {
			member, err := httpx.PathID(c, "member")
			require.NoError(t, err)
			c.SetUserContext(authn.Into(c.UserContext(), authn.Principal{MemberID: member}))
			return streams.Answer(c, pieces(math.MaxInt, nil))
		})
	})
	ask := func(path string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+path, nil)
		require.NoError(t, err)
		response, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		t.Cleanup(func() { _ = response.Body.Close() })
		return response
	}
	require.Equal(t, http.StatusOK, ask("/1").StatusCode)
	refused := ask("/1")
	require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
	require.NotEmpty(t, refused.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, ask("/2").StatusCode)
}

func TestTheEndOfTheServerCutsAStreamThatNeverEnds(t *testing.T) {
	t.Parallel()
	s := start(t, nil, streaming(func() func(context.Context) ([]byte, error) {
		return pieces(math.MaxInt, nil)
	}))
	response := get(t, s)
	_, err := io.CopyN(io.Discard, response.Body, 1<<20)
	require.NoError(t, err)
	s.stop()
	_, err = io.Copy(io.Discard, response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, <-s.ended)
}

func TestAPanicInTheFirstPieceGivesThePlaceBack(t *testing.T) {
	t.Parallel()
	s := start(t, nil, streaming(func() func(context.Context) ([]byte, error) {
		return func(context.Context) ([]byte, error) { panic("a mistake") }
	}))
	for range 2 {
		require.Equal(t, http.StatusInternalServerError, s.do(t, http.MethodGet, "/", "").status)
	}
}

func TestABodyOfKnownSizeIsSentToClientsOfHTTP10AndIsCutWhereItEndsEarly(t *testing.T) {
	t.Parallel()
	const size = 3 << 16
	closed := make(chan struct{}, 3)
	body := func(length int) io.ReadCloser {
		return &closeTeller{strings.NewReader(strings.Repeat("x", length)), func() { closed <- struct{}{} }}
	}
	s := start(t, nil, func(app *fiber.App) {
		app.Get("/whole", func(c *fiber.Ctx) error {
			httpx.SendSized(c, body(size), size)
			return nil
		})
		app.Get("/short", func(c *fiber.Ctx) error {
			httpx.SendSized(c, body(size/2), size)
			return nil
		})
	})
	whole := s.raw(t, "GET /whole HTTP/1.0\r\nHost: x.test\r\n\r\n")
	require.Equal(t, http.StatusOK, whole.status)
	require.Len(t, whole.body, size)
	require.Equal(t, strconv.Itoa(size), whole.header.Get("Content-Length"))
	<-closed
	head := s.do(t, http.MethodHead, "/whole", "")
	require.Empty(t, head.body)
	require.Equal(t, strconv.Itoa(size), head.header.Get("Content-Length"))
	<-closed
	response, err := http.Get("http://" + s.addr + "/short")
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	<-closed
}

// closeTeller tells that it was closed.
type closeTeller struct {
	io.Reader
	tell func()
}

func (c *closeTeller) Close() error {
	c.tell()
	return nil
}
