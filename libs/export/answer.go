package export

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
)

// Answer sends the rows that next returns, until it returns none, as a file with this name, in the format that the client
// chooses.
func Answer[Row any](c *fiber.Ctx, streams httpx.Streams, name string, next func(context.Context) ([]Row, error)) error {
	format, err := Choose(listing.Param(string(c.Request().URI().QueryString()), "format"), c.Get(fiber.HeaderAccept))
	if err != nil {
		return err
	}
	piece, err := Begin[Row](format)
	if err != nil {
		return err
	}
	err = streams.Answer(c, func(ctx context.Context) ([]byte, error) {
		rows, err := next(ctx)
		if err != nil {
			return nil, err
		}
		encoded, err := Encode(format, rows)
		piece, encoded = nil, append(piece, encoded...)
		return encoded, err
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, format.ContentType())
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s.%s"`, name, format))
	return nil
}
