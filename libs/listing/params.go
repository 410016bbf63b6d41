package listing

import (
	"net/url"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// params are the parameters of a URL's query. Django reads them alike: '&' alone separates them, so that a ';' belongs to a
// value, and of several values of a name the last one counts.
type params url.Values

func parseParams(rawQuery string) params {
	result := params{}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name = unescape(name)
		result[name] = append(result[name], unescape(value))
	}
	return result
}

// unescape leaves what cannot be unescaped as it is. httpx lets no such URL in.
func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

func (p params) has(name string) bool { return len(p[name]) > 0 }

// get returns the value that counts: composed (NFC), as all stored texts are, and without white space around it.
func (p params) get(name string) string {
	if !p.has(name) {
		return ""
	}
	return strings.TrimSpace(norm.NFC.String(p[name][len(p[name])-1]))
}

// Param returns the value of a parameter of a URL's query, as those of lists are read: "" where it is missing.
func Param(rawQuery, name string) string { return parseParams(rawQuery).get(name) }

// link returns the URL with other values of some parameters; "" removes one. All others stay, sorted by name as in Django
// REST Framework, and escaped so that every reader of URLs finds the same in them.
func link(requested *url.URL, changes map[string]string) *string {
	query := parseParams(requested.RawQuery)
	for name, value := range changes {
		if value == "" {
			delete(query, name)
		} else {
			query[name] = []string{value}
		}
	}
	target := *requested
	target.RawQuery = url.Values(query).Encode()
	text := target.String()
	return &text
}
