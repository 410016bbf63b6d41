package listing

import "context"

// Statements are what reads a list of Values from Queries, which a service generates, in at most three statements. Ids
// come first and rows by their ids, so that a page far behind skips entries of an index and never rows.
type Statements[Queries, Row, Value any] struct {
	// IDs lists the ids of the page, in its order.
	IDs func(context.Context, Queries) ([]uint64, error)
	// Count counts all matches. It is not executed where the page tells their number.
	Count func(context.Context, Queries) (int64, error)
	// Rows returns the rows of these ids, in any order.
	Rows func(context.Context, []uint64) ([]Row, error)
	// Value makes of a row what is listed, and tells the row's id.
	Value func(Row) (id uint64, value Value)
}

// Read returns the page and the number of all matches.
func (s Statements[Queries, Row, Value]) Read(ctx context.Context, queries Queries, request Request) ([]Value, int, error) {
	ids, err := s.IDs(ctx, queries)
	if err != nil {
		return nil, 0, err
	}
	count, known := Complete(request, len(ids))
	if !known {
		number, err := s.Count(ctx, queries)
		if err != nil {
			return nil, 0, err
		}
		count = int(number)
	}
	if len(ids) == 0 {
		return nil, count, nil
	}
	rows, err := s.Rows(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	byID := make(map[uint64]Value, len(rows))
	for _, row := range rows {
		id, value := s.Value(row)
		byID[id] = value
	}
	values := make([]Value, 0, len(ids))
	for _, id := range ids {
		// A row that was deleted between the two statements is simply no longer there.
		if value, found := byID[id]; found {
			values = append(values, value)
		}
	}
	return values, count, nil
}
