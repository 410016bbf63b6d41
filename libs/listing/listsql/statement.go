package listsql

import (
	"strings"

	"oms.internal/libs/listing"
)

// Statement is SQL with its parameters.
type Statement struct {
	SQL  string
	Args []any
}

// IDs returns the statement for the page's ids, in the order of the walk. For a page by cursor it reads one row more than
// the page has, which tells whether there is a page behind it, and the keys that place a cursor.
func (p Plan) IDs() Statement {
	limit, offset := p.request.Limit, p.request.Offset
	if p.request.Cursor != nil {
		limit++
	}
	walk := p.walk()
	statement := &clause{}
	if p.split == "" {
		p.selectIDs(statement, p.where, walk)
		statement.add(" LIMIT ? OFFSET ?", limit, offset)
	} else {
		p.selectSplit(statement, walk, limit, offset)
	}
	return Statement{statement.text.String(), statement.args}
}

// selectSplit reads as many rows of each value of the split field as the page may need, each from its place in the index,
// and merges them.
func (p Plan) selectSplit(statement *clause, walk []listing.Key, limit, offset int) {
	statement.add("SELECT " + p.columns() + " FROM (")
	for i, condition := range p.where {
		if condition.field != p.split || condition.kind != in {
			continue
		}
		where := append([]Condition{}, p.where...)
		for n, value := range condition.values {
			if n > 0 {
				statement.add(" UNION ALL ")
			}
			where[i] = Is(p.split, value)
			statement.add("(")
			p.selectIDs(statement, where, walk)
			statement.add(" LIMIT ?)", limit+offset)
		}
	}
	statement.add(") AS rows_of_each")
	statement.orderBy(p.table, walk)
	statement.add(" LIMIT ? OFFSET ?", limit, offset)
}

func (p Plan) selectIDs(statement *clause, where []Condition, walk []listing.Key) {
	statement.add(p.selecting(p.columns(), p.idsSuffice()))
	p.from(statement, p.idsSuffice())
	statement.add(p.hint())
	statement.where(p.table, where)
	if len(p.place) > 0 {
		if len(where) == 0 {
			statement.add(" WHERE ")
		} else {
			statement.add(" AND ")
		}
		statement.after(p, walk)
	}
	statement.orderBy(p.table, walk)
}

// besides are what is read besides the id: the columns of the ordering, for a cursor or a merge of several statements.
func (p Plan) besides() []Column {
	var columns []Column
	for _, key := range p.order {
		if key.Field != idField && (p.request.Cursor != nil || p.split != "") {
			columns = append(columns, p.table.column(key.Field))
		}
	}
	return columns
}

func (p Plan) columns() string {
	names := []string{idField}
	for _, column := range p.besides() {
		names = append(names, column.Name)
	}
	return strings.Join(names, ", ")
}

// hint prescribes the index of a direct plan, because engines prefer to sort for a page far behind. In other plans it forbids
// to follow an index in the order of the page and to look at each row: where few rows meet the conditions, that takes many
// times as long as reading the table once. A page by cursor may do so, because the next page goes on where it ended.
func (p Plan) hint() string {
	if p.index != nil {
		return " FORCE INDEX (" + p.index.Name + ")"
	}
	if p.request.Cursor != nil || len(p.table.Indexes) == 0 || len(p.ways) > 0 {
		return ""
	}
	var names []string
	for _, index := range p.table.Indexes {
		names = append(names, index.Name)
	}
	return " IGNORE INDEX FOR ORDER BY (" + strings.Join(names, ", ") + ")"
}

func (c *clause) orderBy(table *Table, keys []listing.Key) {
	for i, key := range keys {
		if i == 0 {
			c.add(" ORDER BY ")
		} else {
			c.add(", ")
		}
		c.add(table.column(key.Field).Name)
		if key.Descending {
			c.add(" DESC")
		}
	}
}

// Count returns the statement that counts the list's rows.
func (p Plan) Count() Statement {
	statement := &clause{}
	statement.add(p.selecting("COUNT(*)", len(p.where) == 0))
	p.from(statement, len(p.where) == 0)
	if p.index != nil && len(p.where) > 0 {
		statement.add(p.hint())
	}
	statement.where(p.table, p.where)
	return Statement{statement.text.String(), statement.args}
}
