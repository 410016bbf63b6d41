package listsql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"oms.internal/libs/listing"
)

// Reader is what asks a server.
type Reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Read returns a page, in at most three statements. The first reads the ids. The second counts all rows; a page by cursor, and
// a page that shows by itself that it is the last, need none, and where Counts remembers the number, it comes with the ids. The third is
// the caller's: rows reads the rows with these ids, in any order. value returns what is listed of a row, and the row's id.
func Read[Row, Value any](
	ctx context.Context, reader Reader, plan Plan,
	rows func(context.Context, []uint64) ([]Row, error), value func(Row) (id uint64, value Value),
) (listing.Rows[Value], error) {
	page := listing.Rows[Value]{}
	var places []place
	var err error
	if plan.request.Cursor == nil {
		places, page.Count, err = plan.window(ctx, reader)
	} else if places, err = plan.places(ctx, reader); err == nil {
		places, page.Next, page.Previous = plan.neighbours(places)
	}
	if err != nil {
		return page, err
	}
	if len(places) == 0 {
		return page, nil
	}
	ids := idsOf(places)
	found, err := rows(ctx, ids)
	if err != nil {
		return page, err
	}
	byID := make(map[uint64]Value, len(found))
	for _, row := range found {
		id, value := value(row)
		byID[id] = value
	}
	page.Values = make([]Value, 0, len(ids))
	for _, id := range ids {
		// A row that was deleted between the two statements is simply no longer there.
		if value, there := byID[id]; there {
			page.Values = append(page.Values, value)
		}
	}
	return page, nil
}

// IDs returns the ids of a page alone.
func IDs(ctx context.Context, reader Reader, plan Plan) ([]uint64, error) {
	places, err := plan.places(ctx, reader)
	return idsOf(places), err
}

// place is a row's id, and for a page by cursor the keys of its place.
type place struct {
	id   uint64
	keys []*string
}

func idsOf(places []place) []uint64 {
	var ids []uint64
	for _, place := range places {
		ids = append(ids, place.id)
	}
	return ids
}

func (p Plan) places(ctx context.Context, reader Reader) (places []place, err error) {
	statement := p.IDs()
	rows, err := reader.QueryContext(ctx, statement.SQL, statement.Args...)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", p.table.Name, err)
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	for rows.Next() {
		found := place{}
		targets, texts := []any{&found.id}, []func() *string{}
		for _, column := range p.besides() {
			target, text := column.target()
			targets, texts = append(targets, target), append(texts, text)
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("list %s: %w", p.table.Name, err)
		}
		for _, text := range texts {
			found.keys = append(found.keys, text())
		}
		if p.order[len(p.order)-1].Field == idField {
			found.keys = append(found.keys, new(strconv.FormatUint(found.id, 10)))
		}
		places = append(places, found)
	}
	return places, rows.Err()
}

// neighbours takes the page out of what was read, in the order of the list, and says where the pages beside it begin.
func (p Plan) neighbours(places []place) (page []place, next, previous *listing.Cursor) {
	more := len(places) > p.request.Limit
	if more {
		places = places[:p.request.Limit]
	}
	cursor := *p.request.Cursor
	at := func(keys []*string, back bool) *listing.Cursor {
		return &listing.Cursor{Ordering: orderText(p.order), Back: back, Keys: keys}
	}
	begun := len(p.place) > 0 // rows may come before this page, or behind it where the walk goes back
	switch {
	case len(places) == 0 && begun:
		// The page beside this one begins on the other side of the row at the cursor.
		beside := at(cursor.Keys, !cursor.Back)
		if beside.With = !cursor.With; cursor.Back {
			return nil, beside, nil
		}
		return nil, nil, beside
	case len(places) == 0:
		return nil, nil, nil
	}
	if cursor.Back {
		slices.Reverse(places)
	}
	if cursor.Back || more {
		next = at(places[len(places)-1].keys, false)
	}
	if !cursor.Back && begun || cursor.Back && more {
		previous = at(places[0].keys, true)
	}
	return places, next, previous
}
