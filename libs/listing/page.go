package listing

import (
	"net/url"
	"strconv"
)

// Rows are one page of a list as a store returns it.
type Rows[T any] struct {
	Values []T
	// Count is how many rows the whole list has. It is not counted for a page by cursor.
	Count int
	// Next and Previous are the places of the neighbouring pages of a page by cursor, nil at the ends.
	Next, Previous *Cursor
}

// Page is the envelope of a list: the number of all matches, but for a page by cursor, absolute links to the neighbouring
// pages (null at the ends) and this page's rows.
type Page[T any] struct {
	Count    *int    `json:"count,omitempty"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  []T     `json:"results"`
}

// NewPage returns the envelope of a page, whose rows are shown by show. requested is the absolute URL under which the
// client asked for it.
func NewPage[T, Shown any](requested *url.URL, request Request, rows Rows[T], show func(T) Shown) Page[Shown] {
	page := Page[Shown]{Results: make([]Shown, len(rows.Values))}
	for i, value := range rows.Values {
		page.Results[i] = show(value)
	}
	limit := strconv.Itoa(request.Limit)
	if request.Cursor != nil {
		at := func(cursor *Cursor) *string {
			if cursor == nil {
				return nil
			}
			return link(requested, map[string]string{"limit": limit, "offset": "", "cursor": cursor.String()})
		}
		page.Next, page.Previous = at(rows.Next), at(rows.Previous)
		return page
	}
	page.Count = &rows.Count
	if next := request.Offset + request.Limit; next < rows.Count {
		page.Next = link(requested, map[string]string{"limit": limit, "offset": strconv.Itoa(next)})
	}
	if request.Offset > 0 {
		offset := "" // the first page has none, as in Django REST Framework
		if previous := request.Offset - request.Limit; previous > 0 {
			offset = strconv.Itoa(previous)
		}
		page.Previous = link(requested, map[string]string{"limit": limit, "offset": offset})
	}
	return page
}
