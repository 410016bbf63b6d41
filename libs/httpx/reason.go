package httpx

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

// The headers in which a service tells the gateway why it has answered so, for the gateway's log. They never reach a client.
const (
	// HeaderReason says why an answer is a failure of ours.
	HeaderReason = "Oms-Reason"
	// HeaderRefused says why a request was refused that would have been served at another time.
	HeaderRefused = "Oms-Refused"
)

// maxReason, in bytes, is more than the reasons that are written for logs take.
const maxReason = 300

type (
	reasonKey  struct{}
	refusedKey struct{}
)

// isRefusal reports whether a request was refused because too many came, of this client or of all.
func isRefusal(err error) bool {
	return errors.Is(err, fairshare.ErrRefused) || fault.Is(err, fault.TooManyRequests)
}

// tellReason is for services: it tells the gateway the reason of a refusal or a failure.
func tellReason(c *fiber.Ctx, err error) {
	reason, refused := refusalOfRequest(c, err)
	switch {
	case refused:
		c.Set(HeaderRefused, headerText(reason))
	case err != nil && c.Response().StatusCode() >= http.StatusInternalServerError:
		c.Set(HeaderReason, headerText(err.Error()))
	}
}

// headerText is a text as a header can hold it.
func headerText(text string) string {
	text = strings.Trim(strconv.QuoteToASCII(text), `"`)
	return text[:min(len(text), maxReason)]
}

// NoteReason keeps for the log what a service tells of its answer.
func NoteReason(c *fiber.Ctx, answer *fasthttp.ResponseHeader) {
	if reason := answer.Peek(HeaderReason); len(reason) > 0 {
		c.Locals(reasonKey{}, string(reason))
	}
	if reason := answer.Peek(HeaderRefused); len(reason) > 0 {
		c.Locals(refusedKey{}, string(reason))
	}
}

func reasonOf(c *fiber.Ctx) string {
	reason, _ := c.Locals(reasonKey{}).(string)
	return reason
}

// refusalOfRequest returns why a request was refused, here or by a service. The reasons are few, because refusals are counted by them,
// here and in the gateway: none holds what differs from one request to the next, such as the time to wait or what was asked for.
func refusalOfRequest(c *fiber.Ctx, err error) (reason string, refused bool) {
	if reason, refused = c.Locals(refusedKey{}).(string); refused {
		return reason, true
	}
	switch {
	case errors.Is(err, fairshare.ErrRefused):
		return fault.Of(err).Error(), true
	case isRefusal(err):
		return string(fault.TooManyRequests), true
	}
	return "", false
}
