package client

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"

	"oms.internal/libs/client/api"
)

// Page is a part of a list.
type Page[Row any] struct {
	// Count is how many rows all pages have; nil on pages by cursor.
	Count *int64 `json:"count"`
	// Next and Previous are the URLs of the neighbouring pages; nil where there is none.
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  []Row   `json:"results"`
	Meta     `json:"-"`
}

// walkLimit is how many rows a page of a walk has, where the caller does not say.
const walkLimit api.Limit = 100

func limitOf(asked *api.Limit) *api.Limit {
	if asked == nil {
		return new(walkLimit)
	}
	return asked
}

func pageOf[Row any](response *http.Response, err error) (*Page[Row], error) {
	page, meta, err := read[Page[Row]](response, err)
	if err != nil {
		return nil, err
	}
	page.Meta = meta
	return &page, nil
}

// walk follows the cursors of a list from its beginning, and ends with the first error. Each walk has parameters of its own to change.
func walk[Params, Row any](params *Params, page func(asked *Params, cursor string) (*Page[Row], error)) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var none Row
		asked := valueOf(params)
		for cursor := ""; ; {
			got, err := page(&asked, cursor)
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range got.Results {
				if !yield(row, nil) {
					return
				}
			}
			if got.Next == nil {
				return
			}
			if cursor, err = cursorOf(*got.Next); err != nil {
				yield(none, err)
				return
			}
		}
	}
}

// cursorOf reads the cursor out of the link to a page. The link itself is not followed, since a token must go to no other host than the
// one that the client was told.
func cursorOf(link string) (string, error) {
	parsed, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("the link to the next page: %w", err)
	}
	cursor := parsed.Query().Get("cursor")
	if cursor == "" {
		return "", fmt.Errorf("the link to the next page has no cursor: %s", link)
	}
	return cursor, nil
}

// valueOf returns a copy of parameters, which may be nil.
func valueOf[Params any](params *Params) (copied Params) {
	if params != nil {
		copied = *params
	}
	return copied
}
