package listingtest

import (
	"slices"
	"strconv"

	"oms.internal/libs/listing"
)

// Whole returns a page of a list that a fake holds in memory as a whole. The values are in the order of their ids. A
// cursor holds an id and stands behind the value with that id, which may be gone.
func Whole[T any](request listing.Request, values []T, id func(T) uint64) (listing.Rows[T], error) {
	begin, end := request.Offset, request.Offset+request.Limit
	cursor := request.Cursor
	if cursor != nil && len(cursor.Keys) > 0 {
		if cursor.Ordering != "" || len(cursor.Keys) != 1 || cursor.Keys[0] == nil {
			return listing.Rows[T]{}, listing.ErrCursor
		}
		place, err := strconv.ParseUint(*cursor.Keys[0], 10, 63)
		if err != nil {
			return listing.Rows[T]{}, listing.ErrCursor
		}
		begin = slices.IndexFunc(values, func(value T) bool { return id(value) > place })
		if begin < 0 {
			begin = len(values)
		}
		if end = begin + request.Limit; cursor.Back {
			begin, end = max(0, begin-request.Limit), begin
		}
	}
	begin, end = min(begin, len(values)), min(end, len(values))
	rows := listing.Rows[T]{Values: values[begin:end], Count: len(values)}
	if cursor == nil {
		return rows, nil
	}
	behind := func(last int, back bool) *listing.Cursor {
		return &listing.Cursor{Back: back, Keys: []*string{new(strconv.FormatUint(id(values[last]), 10))}}
	}
	if end < len(values) && end > 0 {
		rows.Next = behind(end-1, false)
	}
	if begin > 0 {
		rows.Previous = behind(begin-1, true)
	}
	return rows, nil
}
