package httpx_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
	"oms.internal/libs/requestid"
)

func TestAnUnknownPathIsNotFound(t *testing.T) {
	t.Parallel()
	got := start(t, nil, echo).do(t, http.MethodGet, "/nothing/<script>", "")
	require.Equal(t, http.StatusNotFound, got.status)
	require.Equal(t, "Not found.", got.problem(t)["detail"])
	require.NotContains(t, got.body, "script")
}

func TestAnotherMethodIsNotAllowedAndTheAnswerSaysWhichOnesAre(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		echo(app)
		app.Patch("/echo", func(*fiber.Ctx) error { return nil })
	})
	for _, method := range []string{http.MethodGet, http.MethodDelete, "BREW"} {
		got := server.do(t, method, "/echo", "")
		require.Equal(t, http.StatusMethodNotAllowed, got.status, method)
		require.Equal(t, `Method "`+method+`" not allowed.`, got.problem(t)["detail"])
		require.ElementsMatch(t, []string{"POST", "PATCH"}, strings.Split(got.header.Get("Allow"), ", "))
	}
}

func TestAPanicIsAnInternalErrorThatSaysNothingAndIsLoggedWithItsStack(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.Get("/", func(*fiber.Ctx) error { panic("secret of db-7") })
		app.Get("/fine", func(c *fiber.Ctx) error { return c.SendString("fine") })
	})
	got := server.do(t, http.MethodGet, "/", "")
	require.Equal(t, http.StatusInternalServerError, got.status)
	require.Equal(t, got.header.Get("X-Request-Id"), got.problem(t)["request_id"])
	require.NotEmpty(t, got.header.Get("X-Request-Id"))
	require.NotContains(t, got.body, "db-7")
	require.NotContains(t, got.body, ".go")
	require.Contains(t, server.logs.String(), "secret of db-7")
	require.Contains(t, server.logs.String(), "app_test.go")
	require.Equal(t, "fine", server.do(t, http.MethodGet, "/fine", "").body)
}

func TestTheRequestIDIsTakenOnlyWhereItIsTrustedAndValid(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		trust bool
		sent  string
		taken bool
	}{
		{trust: true, sent: "abc-123", taken: true},
		{trust: true, sent: "", taken: false},
		{trust: true, sent: `a"b`, taken: false},
		{trust: true, sent: strings.Repeat("x", 65), taken: false},
		{trust: false, sent: "abc-123", taken: false},
	} {
		server := start(t, func(options *httpx.Options) { options.TrustRequestID = test.trust }, func(app *fiber.App) {
			app.Get("/", func(c *fiber.Ctx) error { return c.SendString(requestid.From(c.UserContext())) })
		})
		got := server.do(t, http.MethodGet, "/", "", requestid.Header, test.sent)
		require.Equal(t, test.taken, got.body == test.sent, "%+v", test)
		require.True(t, requestid.Valid(got.body), "%+v", test)
		require.Equal(t, got.body, got.header.Get(requestid.Header), "%+v", test)
		require.Contains(t, server.logs.String(), `"request_id":"`+got.body+`"`)
	}
}

func TestTheContextOfARequestHasItsDeadline(t *testing.T) {
	t.Parallel()
	server := start(t, func(options *httpx.Options) { options.Timeout = time.Millisecond }, func(app *fiber.App) {
		app.Get("/", func(c *fiber.Ctx) error {
			deadline, bounded := c.UserContext().Deadline()
			<-c.UserContext().Done()
			if !bounded || time.Until(deadline) > 0 || c.UserContext().Err() != context.DeadlineExceeded {
				return c.SendString("unbounded")
			}
			return c.SendString("bounded")
		})
	})
	require.Equal(t, "bounded", server.do(t, http.MethodGet, "/", "").body)
}

func TestStringsStayValidAfterTheHandler(t *testing.T) {
	t.Parallel()
	kept := make(chan string, 1)
	server := start(t, nil, func(app *fiber.App) {
		app.Get("/:id", func(c *fiber.Ctx) error {
			kept <- c.Params("id")
			return nil
		})
		app.Delete("/:id", func(*fiber.Ctx) error { return nil })
	})
	server.do(t, http.MethodGet, "/first", "")
	first := <-kept
	for range 20 {
		server.do(t, http.MethodDelete, "/XXXXXXXXXXXX", "")
	}
	require.Equal(t, "first", first)
}

func TestMetricsCountByRouteAndNotByPath(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.Get("/users/:id", func(c *fiber.Ctx) error { return c.SendString("x") })
		app.Get("/named", func(c *fiber.Ctx) error {
			httpx.SetRoute(c, "/pattern")
			return nil
		})
	})
	for _, path := range []string{"/users/1", "/users/2", "/nothing/1", "/nothing/2", "/named"} {
		server.do(t, http.MethodGet, path, "")
	}
	server.do(t, "BREW", "/users/1", "")
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(server.metrics, promhttp.HandlerOpts{}).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	for _, series := range []string{
		`count{method="GET",route="/users/:id",status="200"} 2`,
		`count{method="GET",route="unmatched",status="404"} 2`,
		`count{method="GET",route="/pattern",status="200"} 1`,
		`count{method="OTHER",`,
	} {
		require.Contains(t, recorder.Body.String(), series)
	}
	require.NotContains(t, recorder.Body.String(), "BREW")
}

func TestWhatProcessesAskOftenIsLoggedOnlyWhereItFails(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.Get("/often/:way", httpx.LogFailuresOnly, func(c *fiber.Ctx) error {
			if c.Params("way") == "fails" {
				return fault.NewNotFound()
			}
			return c.SendString("fine")
		})
		app.Get("/seldom", func(c *fiber.Ctx) error { return c.SendString("fine") })
	})
	for _, path := range []string{"/often/fine", "/often/fails", "/seldom"} {
		server.do(t, http.MethodGet, path, "")
	}
	require.NotContains(t, server.logs.String(), "/often/fine")
	require.Contains(t, server.logs.String(), "/often/fails")
	require.Contains(t, server.logs.String(), "/seldom")
}
