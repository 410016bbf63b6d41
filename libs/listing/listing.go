// Package listing is the shape of every list on the surface: which page a client asks for, and the envelope that it
// gets. The behaviour is that of Django REST Framework's LimitOffsetPagination, SearchFilter and OrderingFilter, with
// bounds: what DRF would silently replace by a default or accept without limit is refused here.
package listing

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"oms.internal/libs/fault"
)

// Bounds of a page and of a search.
const (
	DefaultLimit = 30
	MaxLimit     = 500
	MaxOffset    = math.MaxInt32
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

// Request says which page of a list is wanted.
type Request struct {
	Limit  int
	Offset int
	// Terms must all match, each in any of the searched fields, whatever its case. Empty means no search.
	Terms []string
	// Ordering holds at most MaxKeys known fields, each once. Empty means the default ordering.
	Ordering []Key
}

// ParsePage is Parse for a list that has an order of its own and no search: it reads limit and offset alone.
func ParsePage(get func(name string) string) (Request, error) {
	return Parse(func(name string) string {
		if name == "limit" || name == "offset" {
			return get(name)
		}
		return ""
	}, nil)
}

// Parse reads limit, offset, search and ordering through get, which returns a query parameter or "". orderable lists
// the fields that may be ordered by; other names are ignored, as DRF does. Bad values give the fault Invalid.
func Parse(get func(name string) string, orderable []string) (Request, error) {
	problems := map[string][]string{}
	request := Request{
		Limit:    wholeNumber(get("limit"), "limit", DefaultLimit, MaxLimit, problems),
		Offset:   wholeNumber(get("offset"), "offset", 0, MaxOffset, problems),
		Terms:    terms(get("search"), problems),
		Ordering: ordering(get("ordering"), orderable),
	}
	if request.Limit == 0 {
		request.Limit = DefaultLimit
	}
	if len(problems) > 0 {
		return Request{}, fault.NewInvalid(problems)
	}
	return request, nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Containing returns the pattern for SQL's LIKE that texts match which hold the term, as it is.
func Containing(term string) string { return "%" + likeEscaper.Replace(term) + "%" }

func wholeNumber(text, name string, otherwise, most int, problems map[string][]string) int {
	if text == "" {
		return otherwise
	}
	number, err := strconv.Atoi(text) // out of range: the nearest int
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		problems[name] = []string{"A valid integer is required."}
	case number < 0:
		problems[name] = []string{"Ensure this value is greater than or equal to 0."}
	case number > most:
		problems[name] = []string{fmt.Sprintf("Ensure this value is less than or equal to %d.", most)}
	}
	return number
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

func ordering(text string, orderable []string) []Key {
	var keys []Key
	seen := map[string]bool{}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		field, descending := strings.CutPrefix(name, "-")
		for _, known := range orderable {
			if field == known && !seen[field] && len(keys) < MaxKeys {
				seen[field] = true
				keys = append(keys, Key{Field: field, Descending: descending})
			}
		}
	}
	return keys
}
