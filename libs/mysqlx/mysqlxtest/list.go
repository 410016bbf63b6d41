package mysqlxtest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
)

// List is a declared list, and what it is examined with.
type List struct {
	Table *listsql.Table
	// Declared is what a client may ask.
	Declared listing.List
	// Samples are some demands on each field that can be filtered by: frequent and rare values, several, ranges. A range has
	// two ends, which are filters of their own.
	Samples map[string][][]listing.Match
	// Also are conditions that every request of the list has.
	Also []listsql.Condition
	// Rows are how many there are.
	Rows int
}

// RequireServed examines every combination of demands on up to three fields with every ordering by one field. Where the declaration
// says that an index serves one, the server must take that index, read nothing but it, and sort nothing; a page by cursor
// costs no more than it has rows, wherever it begins. It returns how many combinations are served and how many are not.
func (d Database) RequireServed(t *testing.T, list List) (served, others int) {
	t.Helper()
	session, err := d.Root.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	_, err = session.ExecContext(t.Context(), "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_520_ci")
	require.NoError(t, err)
	walk := walk{d, session, list}
	for _, field := range list.fields() {
		require.NotEmpty(t, list.Samples[field], "%s: no sample of %s", list.Table.Name, field)
	}
	for _, matches := range list.combinations(list.fields(), 3) {
		for _, ordering := range list.orderings() {
			request := listing.Request{Limit: 30, Matches: matches, Ordering: ordering}
			plan, err := list.Table.Plan(request, list.Also...)
			require.NoError(t, err)
			if !plan.Direct() {
				others++
				continue
			}
			served++
			label := fmt.Sprintf("%s %v by %v", list.Table.Name, matches, ordering)
			for _, offset := range []int{0, list.Rows / 2, listing.MaxOffset} {
				request.Offset = offset
				walk.requireDirect(t, request, label)
			}
			walk.requireCounted(t, plan, label)
			request.Offset, request.Cursor = 0, &listing.Cursor{}
			walk.requireDirect(t, request, label)
			walk.requireSameCost(t, request, label)
		}
	}
	return served, others
}

// RequireRemembered demands that pages cost no more than they have rows at both ends of a list and past it, in every ordering by one field
// that an index serves, once the number of all rows with the matches is remembered.
func (d Database) RequireRemembered(t *testing.T, list List, matches ...listing.Match) {
	t.Helper()
	session, err := d.Root.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	walk := walk{d, session, list}
	counts := listsql.NewCounts(list.Table, d.Cluster.Epoch, time.Now)
	read := func(request listing.Request) (page listing.Rows[uint64], plan listsql.Plan, cost int) {
		t.Helper()
		plan, err := counts.Plan(request, list.Also...)
		require.NoError(t, err)
		before := walk.handled(t)
		page, err = listsql.Read(t.Context(), session, plan, asTheyAre, func(id uint64) (uint64, uint64) { return id, id })
		require.NoError(t, err)
		return page, plan, walk.handled(t) - before
	}
	request := listing.Request{Limit: 30, Matches: matches}
	first, _, _ := read(request)
	for _, request.Ordering = range list.orderings() {
		for _, request.Offset = range []int{0, 600, first.Count - 600, first.Count - request.Limit, first.Count - 1, first.Count, listing.MaxOffset} {
			page, plan, cost := read(request)
			if !plan.Direct() {
				continue
			}
			label := fmt.Sprintf("%s %v by %v at %d", list.Table.Name, matches, request.Ordering, request.Offset)
			require.True(t, plan.Quick(), label)
			require.Equal(t, first.Count, page.Count, label)
			require.Len(t, page.Values, min(request.Limit, max(0, first.Count-request.Offset)), label)
			require.Less(t, cost, 600+5*request.Limit, "%s: rows read", label)
		}
	}
}

// walk examines a list in one session, whose reads the server counts.
type walk struct {
	d       Database
	session *sql.Conn
	list    List
}

func (l List) orderings() [][]listing.Key {
	orderings := [][]listing.Key{nil}
	for _, field := range l.Declared.Ordering {
		orderings = append(orderings, []listing.Key{{Field: field}}, []listing.Key{{Field: field, Descending: true}})
	}
	return orderings
}

// fields are those that can be filtered by.
func (l List) fields() []string {
	var fields []string
	for _, filter := range l.Declared.Filters {
		if !slices.Contains(fields, filter.Field) {
			fields = append(fields, filter.Field)
		}
	}
	return fields
}

// combinations are all choices of one sample each of at most so many of the fields.
func (l List) combinations(fields []string, most int) [][]listing.Match {
	if len(fields) == 0 || most == 0 {
		return [][]listing.Match{nil}
	}
	combinations := l.combinations(fields[1:], most)
	for _, sample := range l.Samples[fields[0]] {
		for _, rest := range l.combinations(fields[1:], most-1) {
			combinations = append(combinations, slices.Concat(sample, rest))
		}
	}
	return combinations
}

func (w walk) requireDirect(t *testing.T, request listing.Request, label string) {
	t.Helper()
	plan, err := w.list.Table.Plan(request, w.list.Also...)
	require.NoError(t, err)
	statement := plan.IDs()
	for _, step := range w.d.Explain(t, statement.SQL, statement.Args...) {
		if !step.OnTable() {
			continue // what is merged of several values is sorted: as many rows of each as the page may need
		}
		requireServed(t, step, label, plan.Index(), strings.Contains(statement.SQL, "WHERE"))
		requireCovered(t, step, label)
	}
}

func (w walk) requireCounted(t *testing.T, plan listsql.Plan, label string) {
	t.Helper()
	statement := plan.Count()
	for _, step := range w.d.Explain(t, statement.SQL, statement.Args...) {
		requireServed(t, step, label, "", strings.Contains(statement.SQL, "WHERE"))
		requireCovered(t, step, label)
	}
}

func requireCovered(t *testing.T, step Step, label string) {
	t.Helper()
	if step.OnTable() && step["rows"] != "1" && step["key"] != "PRIMARY" {
		require.Contains(t, step["Extra"], "Using index", "%s reads rows: %v", label, step)
	}
}

// requireSameCost walks on from a place far behind, and back.
func (w walk) requireSameCost(t *testing.T, request listing.Request, label string) {
	t.Helper()
	far := request
	far.Limit, far.Offset = 1, w.list.Rows/2
	for count := w.count(t, request); far.Offset >= count; {
		far.Offset /= 2
		if far.Offset == 0 {
			return
		}
	}
	page := w.page(t, far)
	for _, cursor := range []*listing.Cursor{page.Next, page.Previous} {
		if cursor == nil {
			continue
		}
		request.Cursor = cursor
		w.requireDirect(t, request, label)
		before := w.handled(t)
		w.page(t, request)
		read := w.handled(t) - before
		// Each of up to five values has a place of its own, its rows are read, merged and read again.
		require.Less(t, read, 20*(request.Limit+10), "%s: rows read at a cursor", label)
	}
}

func (w walk) count(t *testing.T, request listing.Request) (count int) {
	t.Helper()
	plan, err := w.list.Table.Plan(request, w.list.Also...)
	require.NoError(t, err)
	statement := plan.Count()
	require.NoError(t, w.session.QueryRowContext(t.Context(), statement.SQL, statement.Args...).Scan(&count), statement.SQL)
	return count
}

func (w walk) page(t *testing.T, request listing.Request) listing.Rows[uint64] {
	t.Helper()
	plan, err := w.list.Table.Plan(request, w.list.Also...)
	require.NoError(t, err)
	page, err := listsql.Read(t.Context(), w.session, plan, asTheyAre, func(id uint64) (uint64, uint64) { return id, id })
	require.NoError(t, err)
	return page
}

// asTheyAre stands for the statement that reads rows by their ids.
func asTheyAre(_ context.Context, ids []uint64) ([]uint64, error) { return ids, nil }

// handled counts the rows and index entries that the session has read so far.
func (w walk) handled(t *testing.T) (count int) {
	t.Helper()
	rows, err := w.session.QueryContext(t.Context(), "SHOW SESSION STATUS LIKE 'Handler_read%'")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var name string
		var value int
		require.NoError(t, rows.Scan(&name, &value))
		count += value
	}
	require.NoError(t, rows.Err())
	return count
}
