// Package listsql reads the lists that package listing declares from MySQL or MariaDB, in two steps: the ids of a page
// from an index, then the rows by their ids.
//
// A Table declares the columns of a list and the indexes that serve it. Identifiers come from declarations only; whatever
// a client sends is a parameter. The same ordering gives the same order in every statement, with or without a search: the
// collation is the column's and the tie-breaker is the id.
package listsql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"oms.internal/libs/listing"
)

// Kind is how the values of a column are compared.
type Kind int

// The kinds. Text is compared byte by byte. Caseless text is sorted by its column's collation and compared letter by
// letter, whatever the case.
const (
	Number Kind = iota
	Text
	Caseless
	Time
	Flag
)

// Column is what stands behind a field of a list.
type Column struct {
	Name string
	Kind Kind
	// Unique says that no two rows have the same value, so that what follows in an ordering decides nothing.
	Unique bool
	// Nullable says that rows may have no value, and then come first.
	Nullable bool
	// Stored returns a client's text in the form in which the column holds it. Nil stands for the text as it is.
	Stored func(string) string
}

// Index serves a list.
type Index struct {
	Name string
	// Fields are those whose columns the index consists of, in its order. The id ends every index and is not listed.
	Fields []string
	// Covers are fields behind the id that the index holds, too, so that a condition on them needs no row.
	Covers []string
}

// Table is where the rows of a list are. Its id is the column id.
type Table struct {
	Name string
	// Columns are by the name of the field. The field id needs none.
	Columns map[string]Column
	Indexes []Index
	// Order is that of the rows where the request has none. Nil stands for the id.
	Order []listing.Key
	// Remembered says how Counts remembers the number of rows.
	Remembered *Remembered
}

const idField = "id"

// primary is the index of every table.
var primary = Index{Name: "PRIMARY"}

func (t *Table) indexes() []Index { return append([]Index{primary}, t.Indexes...) }

// column returns what is declared of a field. Asking for another field is a mistake in the program.
func (t *Table) column(field string) Column {
	if field == idField {
		return Column{Name: idField, Kind: Number, Unique: true}
	}
	column, declared := t.Columns[field]
	if !declared {
		panic(fmt.Sprintf("listsql: %s has no field %q", t.Name, field))
	}
	return column
}

// order returns the keys that decide the order of the rows. It leaves out the fixed fields, which are the same in all rows, and
// what follows a unique field. Without a unique one, the id comes last, in the direction of the key before it.
func (t *Table) order(keys []listing.Key, fixed []string) []listing.Key {
	var order []listing.Key
	descending := false
	for _, key := range keys {
		descending = key.Descending
		if slices.Contains(fixed, key.Field) {
			continue
		}
		order = append(order, key)
		if t.column(key.Field).Unique {
			return order
		}
	}
	return append(order, listing.Key{Field: idField, Descending: descending})
}

// orderText names an ordering in a cursor.
func orderText(order []listing.Key) string {
	names := make([]string, len(order))
	for i, key := range order {
		names[i] = key.String()
	}
	return strings.Join(names, ",")
}

// timeText is how a time stands in a cursor.
const timeText = time.RFC3339Nano
