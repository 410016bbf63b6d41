package listing

import (
	"context"
	"time"

	"oms.internal/libs/fault"
	"oms.internal/libs/pace"
)

// tryAgain is how long a walk waits before it repeats a read.
const tryAgain = 250 * time.Millisecond

// Walk returns a function that reads a whole list, page by page and each with a read of its own: no row that is there all
// the time is missed or comes twice. It returns nothing when the list has ended.
//
// A read that is Unavailable, a Timeout or one of TooManyRequests is repeated until the context ends, because nothing of the walk is
// lost. That of the first page is not: whoever asks can still be told, and try again.
func Walk[T any](
	request Request, size int, read func(context.Context, Request) (Rows[T], error),
) func(context.Context) ([]T, error) {
	request.Limit, request.Offset, request.Cursor = size, 0, &Cursor{}
	begun := false
	return func(ctx context.Context) ([]T, error) {
		for request.Cursor != nil {
			rows, err := read(ctx, request)
			if err != nil {
				if begun && mayPass(err) && pace.Wait(ctx, tryAgain) == nil {
					continue
				}
				return nil, err
			}
			begun = true
			if request.Cursor = rows.Next; len(rows.Values) > 0 {
				return rows.Values, nil
			}
			// All rows of this page were deleted while it was read.
		}
		return nil, nil
	}
}

// mayPass reports whether a read failed for what is over in a moment. That is so, too, of the refusal of a read that was slow, because
// others of the same member waited (mysqlx.Cluster.ReadSlowly).
func mayPass(err error) bool {
	return fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) || fault.Is(err, fault.TooManyRequests)
}
