package proxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/httpx"
	"oms.internal/libs/requestid"
)

// passedOn lists the headers of a client that a service gets to see. All others are dropped, so that a client cannot forge what
// a service believes, now or later (Oms-*, X-Forwarded-*, Forwarded, X-Real-Ip, X-Request-Id, X-HTTP-Method-Override).
// Authorization is dropped, too: services believe the principal only. Idempotency-Key passes with requests that write. Consistency-Token is
// replaced by the later of the client's and what the gateway remembers.
var passedOn = []string{
	fiber.HeaderAccept,
	fiber.HeaderAcceptLanguage,
	fiber.HeaderContentType,
	fiber.HeaderIfMatch,
	fiber.HeaderIfNoneMatch,
	fiber.HeaderUserAgent,
}

// keptBack lists the headers of an answer that do not reach the client: those between two neighbours on the way
// (RFC 9110, 7.6.1) and those that this server writes itself. All others pass, since the services are ours and a new
// header of theirs, such as Degraded, needs no change here; what is meant for the gateway alone is internal by name.
var keptBack = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
	"Content-Length", "Date", "Server", requestid.Header,
}

// internalPrefix marks headers between gateway and services. What an answer says in them is acted on in one place each
// (Options.Readers, and Instances for whether an instance drains), and none reaches a client.
const internalPrefix = "Oms-"

// requestHeaders returns those headers of the client that pass to a service.
func requestHeaders(method string, client *fasthttp.RequestHeader) http.Header {
	var connection []string
	for _, value := range client.PeekAll(fiber.HeaderConnection) {
		connection = append(connection, string(value))
	}
	dropped := named(connection)
	header := http.Header{}
	for _, name := range passedOn {
		if slices.Contains(dropped, name) {
			continue
		}
		for _, value := range client.PeekAll(name) {
			header.Add(name, string(value))
		}
	}
	if header.Get(fiber.HeaderUserAgent) == "" {
		header.Set(fiber.HeaderUserAgent, "") // else net/http names itself
	}
	addKey(header, method, client)
	return header
}

// addKey passes the Idempotency-Key of a request that writes on. Malformed keys (an empty one, or two) are passed on as well,
// because the service has to refuse them.
func addKey(header http.Header, method string, client *fasthttp.RequestHeader) {
	if !writes(method) {
		return
	}
	for _, key := range client.PeekAll(httpx.HeaderIdempotencyKey) {
		header[idempotencyKey] = append(header[idempotencyKey], string(key))
	}
}

// copyAnswer hands the headers of a service's answer to the client.
func copyAnswer(client *fasthttp.ResponseHeader, answer http.Header) {
	dropped := named(answer.Values("Connection"))
	for name, values := range answer {
		if slices.Contains(keptBack, name) || slices.Contains(dropped, name) || strings.HasPrefix(name, internalPrefix) {
			continue
		}
		for _, value := range values {
			client.Add(name, value)
		}
	}
}

// named returns the headers that a Connection header declares to be for this connection only.
func named(connection []string) []string {
	var names []string
	for _, value := range connection {
		for option := range strings.SplitSeq(value, ",") {
			names = append(names, http.CanonicalHeaderKey(strings.TrimSpace(option)))
		}
	}
	return names
}
