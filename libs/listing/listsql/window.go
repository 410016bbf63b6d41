package listsql

import (
	"context"
	"fmt"
	"slices"

	"oms.internal/libs/listing"
)

const (
	// slack is how many rows more than a page has are read on each side of it, where it is found from the end of the list. So many rows may
	// have come or gone since the end was known.
	slack = 16
	// maxWindows is how often a page is looked for from the end, before it is read from the beginning.
	maxWindows = 3
)

// window reads the ids of a page by offset and the number of all rows. Where that is remembered, both are of one snapshot, and a page is
// read from the nearer end of the list.
func (p Plan) window(ctx context.Context, reader Reader) (places []place, count int, err error) {
	if p.known != nil {
		return p.remembered(ctx, reader)
	}
	if places, err = p.places(ctx, reader); err != nil {
		return nil, 0, err
	}
	// A page that is not full and not past the end is the last one, and tells the number.
	if len(places) < p.request.Limit && (len(places) > 0 || p.request.Offset == 0) {
		return places, p.request.Offset + len(places), nil
	}
	if p.counts == nil {
		count, err = p.counted(ctx, reader)
		return places, count, err
	}
	known, learns, end, err := p.counts.begin(ctx, p.scope)
	if err != nil {
		return nil, 0, err
	}
	if known != nil {
		p.known = known // another request has just learned it
		return p.remembered(ctx, reader)
	}
	few := false
	defer func() { end(few) }()
	if count, err = p.counted(ctx, reader); err != nil {
		return nil, 0, err
	}
	if few = count <= fewRows; learns && !few {
		err = p.counts.rebase(ctx, reader, p.scope, nil)
	}
	return places, count, err
}

// counted counts all rows.
func (p Plan) counted(ctx context.Context, reader Reader) (count int, err error) {
	statement := p.Count()
	if err := reader.QueryRowContext(ctx, statement.SQL, statement.Args...).Scan(&count); err != nil {
		return 0, fmt.Errorf("count %s: %w", p.table.Name, err)
	}
	return count, nil
}

// remembered is window by what is known. Where the end of the list is found to be elsewhere, it looks for the page again.
func (p Plan) remembered(ctx context.Context, reader Reader) (page []place, count int, err error) {
	count = int(p.known.latest.Load())
	for window := 1; ; window++ {
		part := p.nearer(count)
		if window > maxWindows {
			part = p.ahead()
		}
		places, tail, err := p.read(ctx, reader, part)
		if err != nil {
			return nil, 0, err
		}
		count = p.known.base + tail.rows + tail.gained
		if page, found := part.page(places, count, p.request); found {
			return page, count, p.counts.noted(ctx, reader, p.scope, p.known, count, tail)
		}
	}
}

// part is a part of a list, counted from its beginning, or from its end.
type part struct {
	offset, limit int
	backward      bool
}

// ahead is the page, from the beginning of the list.
func (p Plan) ahead() part { return part{offset: p.request.Offset, limit: p.request.Limit} }

// nearer is a part that holds the page and begins at the nearer end of a list of so many rows, or of a few more or less.
func (p Plan) nearer(count int) part {
	if !p.Direct() || p.request.Offset <= count/2 {
		return p.ahead()
	}
	return part{offset: max(0, count-p.request.Offset-p.request.Limit-slack), limit: p.request.Limit + 2*slack, backward: true}
}

// read returns the ids of a part, and what came later than what is known. Both are of one snapshot, unless there are no ids.
func (p Plan) read(ctx context.Context, reader Reader, of part) (places []place, later tail, err error) {
	statement := p.part(of)
	rows, err := reader.QueryContext(ctx, statement.SQL, statement.Args...)
	if err != nil {
		return nil, later, fmt.Errorf("list %s: %w", p.table.Name, err)
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	for rows.Next() {
		var found place
		if err := rows.Scan(&found.id, &later.rows, &later.gained); err != nil {
			return nil, later, fmt.Errorf("list %s: %w", p.table.Name, err)
		}
		places = append(places, found)
	}
	if err := rows.Err(); err != nil || len(places) > 0 {
		return places, later, err
	}
	statement = p.counts.since(p.scope, p.known)
	if err := reader.QueryRowContext(ctx, statement.SQL, statement.Args...).Scan(&later.rows, &later.gained); err != nil {
		return nil, later, p.counts.failed(err)
	}
	return nil, later, nil
}

// part returns the statement of read.
func (p Plan) part(of part) Statement {
	keys := p.order
	if of.backward {
		keys = reversed(keys)
	}
	statement := &clause{}
	statement.add("SELECT id, ")
	p.counts.later(statement, p.scope, p.known, ", ")
	statement.add(" FROM " + p.table.Name + p.hint())
	statement.where(p.table, p.where)
	statement.orderBy(p.table, keys)
	statement.add(" LIMIT ? OFFSET ?", of.limit, of.offset)
	return Statement{statement.text.String(), statement.args}
}

// page takes the page out of a part of a list of count rows, unless the part does not hold it.
func (of part) page(places []place, count int, request listing.Request) (page []place, found bool) {
	if !of.backward {
		return places, true
	}
	first, end := count-request.Offset-request.Limit-of.offset, count-request.Offset-of.offset
	if end <= -of.offset {
		return nil, true // the page is past the end of the list
	}
	first = max(first, -of.offset)
	if first < 0 || end > len(places) {
		return nil, false
	}
	page = places[first:end]
	slices.Reverse(page)
	return page, true
}
