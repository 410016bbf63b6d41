package listing

import "strconv"

// Whole returns the page of a list that is there as a whole and only grows at its end, such as a timeline: the place of a
// cursor is the number of values before it.
func Whole[T any](request Request, values []T) (Rows[T], error) {
	begin, end := request.Offset, request.Offset+request.Limit
	cursor := request.Cursor
	if cursor != nil && len(cursor.Keys) > 0 {
		if cursor.Ordering != "" || len(cursor.Keys) != 1 || cursor.Keys[0] == nil {
			return Rows[T]{}, ErrCursor
		}
		place, err := strconv.ParseUint(*cursor.Keys[0], 10, 31)
		if err != nil {
			return Rows[T]{}, ErrCursor
		}
		begin, end = int(place), int(place)+request.Limit
		if cursor.Back {
			begin, end = max(0, begin-request.Limit), begin
		}
	}
	begin, end = min(begin, len(values)), min(end, len(values))
	rows := Rows[T]{Values: values[begin:end], Count: len(values)}
	if cursor == nil {
		return rows, nil
	}
	at := func(place int, back bool) *Cursor {
		return &Cursor{Back: back, Keys: []*string{new(strconv.Itoa(place))}}
	}
	if end < len(values) {
		rows.Next = at(end, false)
	}
	if begin > 0 {
		rows.Previous = at(begin, true)
	}
	return rows, nil
}
