// Package secure sets the headers that tell a browser to make nothing of an answer but data: not to guess its type, not
// to keep it, not to run or frame it.
package secure

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"

	"github.com/valyala/fasthttp"
)

// Header is a name and a value.
type Header [2]string

// Headers are those of every answer.
var Headers = []Header{
	{"X-Content-Type-Options", "nosniff"},
	{"Cache-Control", "no-store"},
	{"Referrer-Policy", "no-referrer"},
	{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	{"X-Frame-Options", "DENY"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
}

// StrictTransport makes browsers use TLS only, for a year (RFC 6797). It belongs to answers over TLS.
var StrictTransport = Header{"Strict-Transport-Security", "max-age=31536000"}

// Server makes every answer of the server carry the headers, and more where there are any, unless its handler set them to something else. It works
// on the server and not as a middleware, because refusals of requests that cannot be read pass no middleware.
func Server(server *fasthttp.Server, more ...Header) {
	headers := slices.Concat(Headers, more)
	handle, refuse := server.Handler, server.ErrorHandler
	server.Handler = func(request *fasthttp.RequestCtx) {
		handle(request)
		complete(&request.Response.Header, headers)
	}
	server.ErrorHandler = func(request *fasthttp.RequestCtx, err error) {
		refuse(request, err)
		complete(&request.Response.Header, headers)
	}
}

func complete(header *fasthttp.ResponseHeader, headers []Header) {
	for _, field := range headers {
		if len(header.Peek(field[0])) == 0 {
			header.Set(field[0], field[1])
		}
	}
}

// Refusal is an answer, as bytes of HTTP, for connections that no server sees. The detail must be plain text.
func Refusal(status int, detail string) []byte {
	body := fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"detail":%q}`, http.StatusText(status), status, detail)
	var answer bytes.Buffer
	fmt.Fprintf(&answer, "HTTP/1.1 %d %s\r\nConnection: close\r\nRetry-After: 1\r\n", status, http.StatusText(status))
	fmt.Fprintf(&answer, "Content-Type: application/problem+json\r\nContent-Length: %d\r\n", len(body))
	for _, field := range Headers {
		fmt.Fprintf(&answer, "%s: %s\r\n", field[0], field[1])
	}
	answer.WriteString("\r\n" + body)
	return answer.Bytes()
}
