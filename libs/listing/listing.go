// Package listing is the shape of every list on the surface: what a client may ask of it (List), what it asked (Request)
// and the envelope that it gets (Page). It behaves as Django REST Framework's LimitOffsetPagination, CursorPagination,
// SearchFilter and OrderingFilter and django-filter do.
//
// Domain packages may import it: it knows neither HTTP nor SQL. What reads a list from a database is listsql.
package listing

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"oms.internal/libs/fault"
)

// Bounds of a page and of a search.
const (
	DefaultLimit = 30
	MaxLimit     = 500
	MaxOffset    = 1<<31 - 1
	MaxTerms     = 8
	MaxKeys      = 3 // of an ordering; further ones are ignored
	maxTermRunes = 100
)

// Key is one step of an ordering.
type Key struct {
	Field      string
	Descending bool
}

// String returns the key as clients write it: the field's name, behind a minus where it descends.
func (k Key) String() string {
	if k.Descending {
		return "-" + k.Field
	}
	return k.Field
}

// List declares what a client may ask of a list.
type List struct {
	Filters []Filter
	// Search names what a search looks into, in the words of the reference. A list without it cannot be searched.
	Search []string
	// Ordering names the fields that the client may order by. A list without any has an order of its own.
	Ordering []string
}

// Request says which page of a list is wanted.
type Request struct {
	Limit  int
	Offset int
	// Cursor says where the page begins, instead of Offset. Nil stands for a page by offset, with a count.
	Cursor *Cursor
	// Matches must all hold.
	Matches []Match
	// Terms must all match, each in any of the searched fields, whatever its case. Empty means no search.
	Terms []string
	// Ordering holds at most MaxKeys declared fields, each once. Empty means the list's own order.
	Ordering []Key
}

// Match is what a filter demands of a field.
type Match struct {
	Field string
	Op    Op
	// Values are uint64, string, time.Time or bool, whatever the filter reads. Only In may have more than one.
	Values []any
}

// Op compares a field with values.
type Op string

// The comparisons.
const (
	Is      Op = "is"
	In      Op = "in"
	AtLeast Op = "at least"
	Below   Op = "below"
)

// Value returns what a filter demands a field to be, nil where it demands nothing.
func (r Request) Value(field string) any {
	for _, match := range r.Matches {
		if match.Field == field && match.Op == Is {
			return match.Values[0]
		}
	}
	return nil
}

// Only returns the request with one more demand: the field is the value.
func (r Request) Only(field string, value any) Request {
	if r.Value(field) == value {
		return r
	}
	r.Matches = append(r.Matches[:len(r.Matches):len(r.Matches)], Match{Field: field, Op: Is, Values: []any{value}})
	return r
}

// Parse reads what the client asks of the list, from the query of a URL as it came. Times without an offset are in zone.
// A filter or a search that cannot be read is the fault Invalid, with a message for each parameter. As in Django REST
// Framework a limit or offset that cannot be read is the default, one that is too large is cut, fields that nobody may
// order by are ignored, and a cursor that cannot be read is the fault NotFound.
func Parse(rawQuery string, list List, zone *time.Location) (Request, error) {
	params := parseParams(rawQuery)
	problems := map[string][]string{}
	request := Request{
		Limit:   bounded(params.get("limit"), DefaultLimit, MaxLimit),
		Offset:  bounded(params.get("offset"), 0, MaxOffset),
		Matches: list.matches(params, zone, problems),
	}
	if request.Limit == 0 {
		request.Limit = DefaultLimit
	}
	if len(list.Search) > 0 {
		request.Terms = terms(params.get("search"), problems)
	}
	if len(problems) > 0 {
		return Request{}, fault.NewInvalid(problems)
	}
	request.Ordering = list.ordering(params.get("ordering"), request.Matches)
	if params.has("cursor") {
		var err error
		if request.Cursor, err = parseCursor(params.get("cursor")); err != nil {
			return Request{}, err
		}
		request.Offset = 0
	}
	return request, nil
}

// bounded reads a whole number that is not negative.
func bounded(text string, otherwise, most int) int {
	number, err := strconv.ParseInt(text, 10, 64) // out of range: the nearest number
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange), number < 0:
		return otherwise
	}
	return int(min(number, int64(most)))
}

func terms(search string, problems map[string][]string) []string {
	found := strings.FieldsFunc(search, func(char rune) bool { return char == ',' || unicode.IsSpace(char) })
	if len(found) > MaxTerms {
		problems["search"] = []string{fmt.Sprintf("Ensure this field has no more than %d words.", MaxTerms)}
	}
	for _, term := range found {
		if utf8.RuneCountInString(term) > maxTermRunes {
			problems["search"] = []string{fmt.Sprintf("Ensure each word has no more than %d characters.", maxTermRunes)}
		}
	}
	return found
}

// ordering reads which of the list's fields the client orders by. A client that asks for no order gets the list by id, or by
// the time that it filters by: then one index serves the filter and the order.
func (l List) ordering(text string, matches []Match) []Key {
	var keys []Key
	for name := range strings.SplitSeq(text, ",") {
		field, descending := strings.CutPrefix(strings.TrimSpace(name), "-")
		known := slices.Contains(l.Ordering, field)
		seen := slices.ContainsFunc(keys, func(key Key) bool { return key.Field == field })
		if known && !seen && len(keys) < MaxKeys {
			keys = append(keys, Key{Field: field, Descending: descending})
		}
	}
	if len(keys) > 0 || len(l.Ordering) == 0 {
		return keys
	}
	return l.DefaultOrdering(matches)
}

// DefaultOrdering is the order of a list with these matches where the client asks for none.
func (l List) DefaultOrdering(matches []Match) []Key {
	for _, match := range matches {
		if (match.Op == AtLeast || match.Op == Below) && slices.Contains(l.Ordering, match.Field) {
			return []Key{{Field: match.Field}}
		}
	}
	return []Key{{Field: "id"}}
}
