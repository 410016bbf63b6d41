package listing

import (
	"net/url"
	"strconv"
)

// Page is the envelope of a list: the number of all matches, absolute links to the neighbouring pages (null at the
// ends) and this page's rows.
type Page[T any] struct {
	Count    int     `json:"count"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  []T     `json:"results"`
}

// NewPage returns the envelope of one page. requested is the absolute URL under which the client asked for it.
func NewPage[T any](requested *url.URL, request Request, count int, results []T) Page[T] {
	page := Page[T]{Count: count, Results: results}
	if page.Results == nil {
		page.Results = []T{}
	}
	if request.Offset+request.Limit < count {
		page.Next = link(requested, request.Limit, request.Offset+request.Limit)
	}
	if request.Offset > 0 {
		page.Previous = link(requested, request.Limit, request.Offset-request.Limit)
	}
	return page
}

// link sets limit and offset in the query and sorts it, as DRF does; the first page has no offset.
func link(requested *url.URL, limit, offset int) *string {
	target := *requested
	query := target.Query()
	query.Set("limit", strconv.Itoa(limit))
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	} else {
		query.Del("offset")
	}
	target.RawQuery = query.Encode()
	text := target.String()
	return &text
}

// Complete returns the number of all matches where a page tells it: a page that is not full and not past the end is the
// last one. It saves the statement that counts.
func Complete(request Request, rows int) (count int, known bool) {
	if rows < request.Limit && (rows > 0 || request.Offset == 0) {
		return request.Offset + rows, true
	}
	return 0, false
}
