package listing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter is a parameter that narrows a list.
type Filter struct {
	// Param is the parameter's name.
	Param string
	// Field and Op say what the value is compared with, and how.
	Field string
	Op    Op
	// read returns the values that a text stands for, or a message of what is wrong with it.
	read func(text string, zone *time.Location) (values []any, message string)
}

// matches reads the filters that have a value. An empty one counts as none.
func (l List) matches(params params, zone *time.Location, problems map[string][]string) []Match {
	var matches []Match
	for _, filter := range l.Filters {
		text := params.get(filter.Param)
		if text == "" {
			continue
		}
		values, message := filter.read(text, zone)
		if message != "" {
			problems[filter.Param] = []string{message}
			continue
		}
		matches = append(matches, Match{Field: filter.Field, Op: filter.Op, Values: values})
	}
	return matches
}

// Text is a filter by a whole text.
func Text(field string) Filter {
	return Filter{field, field, Is, func(text string, _ *time.Location) ([]any, string) { return []any{text}, "" }}
}

// ID is a filter by a row's id, from least to the greatest that a row may have. The message is that of another value.
func ID(field string, least uint64, message string) Filter {
	return Filter{field, field, Is, func(text string, _ *time.Location) ([]any, string) {
		id, err := strconv.ParseUint(text, 10, 63)
		if err != nil || id < least {
			return nil, message
		}
		return []any{id}, ""
	}}
}

// Flag is a filter by true or false.
func Flag(field string) Filter {
	return Filter{field, field, Is, func(text string, _ *time.Location) ([]any, string) {
		value, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return nil, "Must be a valid boolean."
		}
		return []any{value}, ""
	}}
}

func noChoice(text string) string {
	return fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", text)
}

// Choice is a filter by one of the names.
func Choice(field string, names ...string) Filter {
	return Filter{field, field, Is, func(text string, _ *time.Location) ([]any, string) {
		if !slices.Contains(names, text) {
			return nil, noChoice(text)
		}
		return []any{text}, ""
	}}
}

// Choices is a filter by several of the names, separated by commas. As in django-filter, an element that is empty is a value that no row
// has.
func Choices(field string, names ...string) Filter {
	return Filter{field, field, In, func(text string, _ *time.Location) ([]any, string) {
		var values []any
		for name := range strings.SplitSeq(text, ",") {
			name = strings.TrimSpace(name)
			switch {
			case name == "" || slices.Contains(values, any(name)):
			case !slices.Contains(names, name):
				return nil, noChoice(name)
			default:
				values = append(values, name)
			}
		}
		if len(values) == 0 {
			values = []any{""}
		}
		return values, ""
	}}
}

// Since is a filter by the earliest time: the row's time is that or later.
func Since(param, field string) Filter { return Filter{param, field, AtLeast, readTime} }

// Until is the other end of Since: the row's time is before it.
func Until(param, field string) Filter { return Filter{param, field, Below, readTime} }

func readTime(text string, zone *time.Location) ([]any, string) {
	at, err := ParseTime(text, zone)
	if err != nil {
		return nil, "Enter a valid date/time."
	}
	return []any{at}, ""
}
