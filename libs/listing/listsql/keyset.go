package listsql

import (
	"database/sql"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"oms.internal/libs/listing"
)

// parseCursor reads the place of the cursor. It refuses a cursor of another ordering, or with values that its fields cannot have.
func (p *Plan) parseCursor() error {
	cursor := p.request.Cursor
	if cursor == nil || len(cursor.Keys) == 0 {
		return nil
	}
	if cursor.Ordering != orderText(p.order) || len(cursor.Keys) != len(p.order) {
		return listing.ErrCursor
	}
	for i, key := range p.order {
		value, err := p.table.column(key.Field).parse(cursor.Keys[i])
		if err != nil {
			return listing.ErrCursor
		}
		p.place = append(p.place, value)
	}
	return nil
}

// walk is the order in which the rows of a page are read: backwards for the page before a cursor.
func (p Plan) walk() []listing.Key {
	if p.request.Cursor != nil && p.request.Cursor.Back {
		return reversed(p.order)
	}
	return p.order
}

// reversed is the opposite order.
func reversed(order []listing.Key) []listing.Key {
	order = slices.Clone(order)
	for i := range order {
		order[i].Descending = !order[i].Descending
	}
	return order
}

// after writes the condition of the rows that come after the cursor's place, in the order of the walk: those with a later
// first key, or the same first key and a later second one, and so on. NULL comes first, as both engines sort it.
func (c *clause) after(plan Plan, walk []listing.Key) {
	with := ""
	c.add("(")
	for i := range walk {
		if i > 0 {
			c.add(" OR ")
		}
		for before := range i {
			column := plan.table.column(walk[before].Field)
			if plan.place[before] == nil {
				c.add(column.Name + " IS NULL AND ")
			} else {
				c.add(column.Name+" = ? AND ", plan.place[before])
			}
		}
		if i == len(walk)-1 && plan.request.Cursor.With {
			with = "=" // the last key is unique
		}
		c.beyond(plan.table.column(walk[i].Field), plan.place[i], walk[i].Descending, with)
	}
	c.add(")")
}

// beyond writes that a column comes after a value, or equals it if orEqual is "=".
func (c *clause) beyond(column Column, value any, descending bool, orEqual string) {
	switch {
	case value == nil && descending:
		c.add("FALSE")
	case value == nil:
		c.add(column.Name + " IS NOT NULL")
	case descending && column.Nullable:
		c.add("("+column.Name+" <"+orEqual+" ? OR "+column.Name+" IS NULL)", value)
	case descending:
		c.add(column.Name+" <"+orEqual+" ?", value)
	default:
		c.add(column.Name+" >"+orEqual+" ?", value)
	}
}

// parse reads the value of a column from a cursor, nil for NULL.
func (c Column) parse(text *string) (any, error) {
	if text == nil {
		if !c.Nullable {
			return nil, listing.ErrCursor
		}
		return nil, nil //nolint:nilnil // NULL is a value
	}
	switch c.Kind {
	case Number:
		return strconv.ParseUint(*text, 10, 63)
	case Flag:
		return strconv.ParseBool(*text)
	case Time:
		at, err := time.Parse(timeText, *text)
		if at = at.UTC(); err == nil && (at.Year() < 1000 || at.Year() > 9999) {
			err = listing.ErrCursor
		}
		return at, err
	default:
		if !utf8.ValidString(*text) {
			return nil, listing.ErrCursor
		}
		return *text, nil
	}
}

// target returns where the driver scans a value of the column, and a function that gives it as a cursor holds it.
func (c Column) target() (target any, text func() *string) {
	switch c.Kind {
	case Number:
		return scanned(func(value uint64) string { return strconv.FormatUint(value, 10) })
	case Flag:
		return scanned(strconv.FormatBool)
	case Time:
		return scanned(func(value time.Time) string { return value.UTC().Format(timeText) })
	default:
		return scanned(func(value string) string { return value })
	}
}

func scanned[T any](format func(T) string) (target any, text func() *string) {
	value := &sql.Null[T]{}
	return value, func() *string {
		if !value.Valid {
			return nil
		}
		return new(format(value.V))
	}
}
