package httpx

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/consistency"
)

// HeaderTold names, in an answer to the gateway, members other than the caller who are told of a write by this answer:
// who logs in is nobody yet when the request comes.
const HeaderTold = "Oms-Told"

// Consistency makes a request see everything that its caller was told, and tells the caller what it wrote: it takes the
// token of the request, or the one that the process itself remembers of the caller if that is later, and answers with the
// token of the request's writes. It belongs behind whatever finds out who the caller is.
//
// The token is told with refusals too: a write whose outcome is unknown may have happened.
func Consistency(remembered func(*fiber.Ctx) consistency.Token) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx := consistency.Into(c.UserContext(), max(TokenOf(c), remembered(c)))
		c.SetUserContext(ctx)
		err := c.Next()
		written := consistency.WrittenBy(ctx)
		if written == 0 {
			return err
		}
		c.Set(consistency.Header, written.String())
		if told := consistency.Told(ctx); len(told) > 0 {
			c.Set(HeaderTold, joinIDs(told))
		}
		return err
	}
}

// TokenOf is the token that a request bears, the latest one if there are several.
func TokenOf(c *fiber.Ctx) consistency.Token {
	var latest consistency.Token
	for _, value := range c.Request().Header.PeekAll(consistency.Header) {
		latest = max(latest, consistency.Parse(string(value)))
	}
	return latest
}

func joinIDs(ids []uint64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatUint(id, 10)
	}
	return strings.Join(texts, ",")
}
