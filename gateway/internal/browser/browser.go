// Package browser sets the headers by which browsers know what they may do with answers: what pages of other sites may read
// (CORS), and that an answer is data and nothing else (security headers).
//
// The headers are on every answer, also on refusals of requests that could not be read. No answer allows credentials: the
// API knows no cookies, and a page sends the token that it holds by itself.
package browser

import (
	"bytes"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Policy is what the operator has decided. The zero value lets no page of another site in.
type Policy struct {
	// Origins are those of the pages that may use the API.
	Origins Origins
	// RequestHeaders are those that such pages may send.
	RequestHeaders HeaderNames
	// TLS says that the public port speaks TLS, and nothing else from then on.
	TLS bool
}

// Complete adds the headers to an answer.
func (p Policy) Complete(request *fasthttp.RequestCtx) {
	answer := &request.Response.Header
	p.share(request)
	for _, field := range securityHeaders {
		if len(answer.Peek(field.name)) == 0 {
			answer.Set(field.name, field.value)
		}
	}
	if p.TLS {
		answer.Set(fiber.HeaderStrictTransportSecurity, strictTransport)
	}
	keepTag(answer)
}

const noTransform = "no-transform"

// keepTag forbids proxies to compress an answer with an ETag. They would make the tag a weak one, which If-Match never
// accepts (RFC 9110, section 13.1.1), so that the client could change nothing.
func keepTag(answer *fasthttp.ResponseHeader) {
	control := answer.Peek(fiber.HeaderCacheControl)
	if len(answer.Peek(fiber.HeaderETag)) == 0 || bytes.Contains(control, []byte(noTransform)) {
		return
	}
	answer.Set(fiber.HeaderCacheControl, string(control)+", "+noTransform)
}
