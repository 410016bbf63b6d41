package httpx_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

// echo answers with the length of the body.
func echo(app *fiber.App) {
	app.Post("/echo", func(c *fiber.Ctx) error { return c.SendString(strconv.Itoa(len(c.Body()))) })
}

func TestABodyOfExactlyTheLimitIsServed(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	require.Equal(t, "65536", server.do(t, http.MethodPost, "/echo", strings.Repeat("x", httpx.BodyLimit)).body)
	smallest := strings.Repeat("1\r\nx\r\n", httpx.BodyLimit) + "0\r\n\r\n"
	require.Equal(t, "65536", server.raw(t, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+smallest).body)
}

func TestALargerBodyIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	for name, request := range map[string]string{
		"announced": fmt.Sprintf("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", httpx.BodyLimit+1),
		"chunked":   fmt.Sprintf("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", httpx.BodyLimit+1),
	} {
		got := server.raw(t, request)
		require.Equal(t, http.StatusRequestEntityTooLarge, got.status, name)
		require.Equal(t, "The body is larger than 65536 bytes.", got.problem(t)["detail"], name)
	}
}

func TestCompressedBodiesAreRefusedSinceTheyMayHoldGigabytes(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	_, err := writer.Write(make([]byte, 16*httpx.BodyLimit))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	for _, encoding := range []string{"gzip", "GZIP", "br", "deflate", "gzip, gzip", "identity\r\nContent-Encoding: gzip"} {
		got := server.raw(t, fmt.Sprintf("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s",
			encoding, compressed.Len(), compressed.String()))
		require.Equal(t, http.StatusUnsupportedMediaType, got.status, encoding)
		got.problem(t)
	}
}

func TestHeadersThatAreTooLargeAreRefused(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	for name, request := range map[string]string{
		"one header":   "GET /echo HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", 17<<10) + "\r\n\r\n",
		"many headers": "GET /echo HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 17<<7) + "\r\n",
		"path":         "GET /" + strings.Repeat("x", 17<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		got := server.raw(t, request)
		require.True(t, 400 <= got.status && got.status < 500, "%s: %d", name, got.status)
		got.problem(t)
	}
}

func TestURLsThatAreNotTextAreRefused(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.Get("/*", func(c *fiber.Ctx) error { return c.SendString(c.Query("q")) })
	})
	for _, target := range []string{"/?q=%ff", "/?q=%00", "/?q=a%ed%a0%80", "/%ff", "/a%00b", "/?q=%zz", "/?q=%", "/?%c3%28=1", "/?q=\xff"} {
		got := server.raw(t, "GET "+target+" HTTP/1.1\r\nHost: x\r\n\r\n")
		require.Equal(t, http.StatusBadRequest, got.status, target)
		require.NotEmpty(t, got.problem(t)["detail"], target)
	}
	require.Equal(t, "꼬막 &", server.do(t, http.MethodGet, "/?q=%EA%BC%AC%EB%A7%89+%26", "").body)
}
