package listing

import "context"

// Walk returns a function that reads a whole list, page by page and each with a read of its own: no row that is there all
// the time is missed or comes twice. It returns nothing when the list has ended.
func Walk[T any](
	request Request, size int, read func(context.Context, Request) (Rows[T], error),
) func(context.Context) ([]T, error) {
	request.Limit, request.Offset, request.Cursor = size, 0, &Cursor{}
	return func(ctx context.Context) ([]T, error) {
		for request.Cursor != nil {
			rows, err := read(ctx, request)
			if err != nil {
				return nil, err
			}
			if request.Cursor = rows.Next; len(rows.Values) > 0 {
				return rows.Values, nil
			}
			// All rows of this page were deleted while it was read.
		}
		return nil, nil
	}
}
