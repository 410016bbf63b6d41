package httpapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// query reads the query string of a list and collects what is wrong with it.
type query struct {
	get      func(name string) string
	problems map[string][]string
}

func newQuery(c *fiber.Ctx) *query {
	return &query{get: func(name string) string { return c.Query(name) }, problems: map[string][]string{}}
}

func (q *query) refuse(name, message string) { q.problems[name] = append(q.problems[name], message) }

// err is the fault Invalid with everything that was refused, or nil.
func (q *query) err() error {
	if len(q.problems) == 0 {
		return nil
	}
	return fault.NewInvalid(q.problems)
}

// page reads limit and offset; lists with an order of their own ignore search and ordering.
func (q *query) page() listing.Request {
	request, err := listing.ParsePage(q.get)
	if refused, ok := errors.AsType[*fault.Error](err); ok {
		maps.Copy(q.problems, refused.Fields)
	}
	return request
}

// id reads the id of a row, nil where there is none.
func (q *query) id(name string) *uint64 {
	text := q.get(name)
	if text == "" {
		return nil
	}
	id, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		q.refuse(name, "A valid integer is required.")
		return nil
	}
	return &id
}

// choice reads one of the names, "" where there is none.
func (q *query) choice(name string, names []string) string {
	text := q.get(name)
	if text != "" && !slices.Contains(names, text) {
		q.refuse(name, fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", text))
		return ""
	}
	return text
}

// The forms of ISO 8601 that are read: with an offset, or without one in the zone that times are shown in.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly}

// time reads a time, otherwise where there is none.
func (q *query) time(name string, zone *time.Location, otherwise time.Time) time.Time {
	text := q.get(name)
	if text == "" {
		return otherwise
	}
	// A plus that was not escaped in the query string arrives as a blank.
	text = strings.ReplaceAll(text, " ", "+")
	for _, form := range timeForms {
		at, err := time.ParseInLocation(form, text, zone)
		if err == nil && !at.Before(earliest) && at.Before(latest) {
			return at.UTC()
		}
	}
	q.refuse(name, "Enter a valid date/time.")
	return otherwise
}

// What a DATETIME column can be compared with.
var (
	earliest = time.Date(1000, 1, 2, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC)
)
