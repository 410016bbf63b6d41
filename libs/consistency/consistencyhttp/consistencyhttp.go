// Package consistencyhttp is the HTTP end of package consistency: how a service takes tokens from requests and puts them
// into answers, and how the gateway reads both.
package consistencyhttp

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
)

// Handler makes a request see all that its caller was told: it requires the token of the request, or the one that memory has
// for the caller if that is later. What the request then writes is remembered, given to publish, and told by the answer.
// publish must not wait. The handler belongs behind the one that finds out who the caller is.
//
// Refusals tell the token too, because a write whose outcome is unknown may have happened.
func Handler(memory *consistency.Memory, publish func(consistency.Written)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		caller := authn.From(c.UserContext()).MemberID
		ctx := consistency.Into(c.UserContext(), max(Sent(c), memory.Of(caller)))
		consistency.Concern(ctx, caller)
		c.SetUserContext(ctx)
		defer func() {
			written := consistency.Writes(ctx)
			if written.Token == 0 {
				return
			}
			c.Set(consistency.Header, written.Token.String())
			if len(written.MemberIDs) > 0 {
				c.Set(consistency.HeaderConcerned, joinIDs(written.MemberIDs))
				memory.Note(written)
				publish(written)
			}
		}()
		return c.Next()
	}
}

// Sent is the token that a request bears, the latest one if there are several.
func Sent(c *fiber.Ctx) consistency.Token {
	var latest consistency.Token
	for _, value := range c.Request().Header.PeekAll(consistency.Header) {
		latest = max(latest, consistency.Parse(string(value)))
	}
	return latest
}

// Answered is what a service's answer to the caller says that was written, and for whom: the caller, and those whom the
// answer names, because who logs in or signs up is nobody yet when the request comes.
func Answered(callerID uint64, answer *fasthttp.ResponseHeader) consistency.Written {
	written := consistency.Written{MemberIDs: []uint64{callerID}, Token: consistency.Parse(string(answer.Peek(consistency.Header)))}
	for text := range strings.SplitSeq(string(answer.Peek(consistency.HeaderConcerned)), ",") {
		if named, err := strconv.ParseUint(text, 10, 64); err == nil {
			written.MemberIDs = append(written.MemberIDs, named)
		}
	}
	return written
}

func joinIDs(ids []uint64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatUint(id, 10)
	}
	return strings.Join(texts, ",")
}
