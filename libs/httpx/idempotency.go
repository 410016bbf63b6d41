package httpx

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/fault"
)

const (
	// HeaderIdempotencyKey carries the key that a client gives a request, by which it is known when it is sent again.
	HeaderIdempotencyKey = "Idempotency-Key"
	// HeaderIdempotencyReplayed is "true" in an answer that was given before.
	HeaderIdempotencyReplayed = "Idempotency-Replayed"
)

const maxKeyLength = 255

// IdempotencyKey returns the request's key: 1 to 255 visible ASCII characters, or "" if the header is missing. A key that is
// empty, malformed or there twice is the fault Malformed. To ignore it would be wrong, since the client believes that it can
// safely send the request again.
func IdempotencyKey(c *fiber.Ctx) (string, error) {
	lines := c.Request().Header.PeekAll(HeaderIdempotencyKey)
	if len(lines) == 0 {
		return "", nil
	}
	key := lines[0]
	if len(lines) > 1 || len(key) == 0 || len(key) > maxKeyLength {
		return "", malformedKey()
	}
	for _, char := range key {
		if char < '!' || char > '~' {
			return "", malformedKey()
		}
	}
	return string(key), nil
}

func malformedKey() error {
	return fault.New(fault.Malformed,
		fmt.Sprintf("%s must be there once, with 1 to %d visible ASCII characters.", HeaderIdempotencyKey, maxKeyLength), nil)
}
