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

// addRequestHeaders gives a request to a service those headers of the client that pass.
func addRequestHeaders(header, client *fasthttp.RequestHeader) {
	dropped := named(client.PeekAll(fiber.HeaderConnection))
	for _, name := range passedOn {
		if slices.Contains(dropped, name) {
			continue
		}
		for _, value := range client.PeekAll(name) {
			header.AddBytesV(name, value)
		}
	}
	if !writes(string(client.Method())) {
		return
	}
	// Malformed keys (an empty one, or two) pass as well, because the service has to refuse them.
	for _, key := range client.PeekAll(httpx.HeaderIdempotencyKey) {
		header.AddBytesV(httpx.HeaderIdempotencyKey, key)
	}
}

// copyAnswer hands the status and the headers of a service's answer to the client.
func copyAnswer(c *fiber.Ctx, answer *Answer) {
	c.Status(answer.StatusCode())
	dropped := named(answer.Header.PeekAll(fiber.HeaderConnection))
	for name, value := range answer.Header.All() {
		if isKeptBack(string(name)) || slices.Contains(dropped, string(name)) {
			continue
		}
		c.Response().Header.AddBytesKV(name, value)
	}
}

func isKeptBack(name string) bool {
	return slices.Contains(keptBack, name) || strings.HasPrefix(name, internalPrefix)
}

// named returns the headers that the values of a Connection header declare to be for this connection only.
func named(connection [][]byte) []string {
	var names []string
	for _, value := range connection {
		for option := range strings.SplitSeq(string(value), ",") {
			names = append(names, http.CanonicalHeaderKey(strings.TrimSpace(option)))
		}
	}
	return names
}
