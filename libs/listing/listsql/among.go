package listsql

import "strings"

// Way is a way to some rows of a list by one index. A condition with an OR over several indexes lets the engines read every row, so
// whoever knows the ways names them (Plan.Among).
type Way struct {
	// Table and ID are where the rows' ids are found: another table, and its column. They are empty for the list's own table.
	Table *Table
	ID    string
	// Index serves the conditions.
	Index string
	Where []Condition
}

// Among returns a plan of the same list, less the rows that none of the ways finds. It reads the rows that the ways find, and no
// others, each of which must still meet the plan's conditions. One way must not find a row twice.
func (p Plan) Among(ways ...Way) Plan {
	p.ways, p.index, p.split, p.counts, p.known = ways, nil, "", nil, nil
	return p
}

// Exactly holds for rows whose caseless field is one of the texts, character by character. The index is in the column's collation, in
// which other texts may be equal.
func Exactly(field string, texts []string) Condition {
	condition := In(field, texts)
	condition.kind = exactly
	return condition
}

// Texts returns the statement that reads a text of at most so many rows that meet the conditions.
func Texts(table *Table, field string, most int, conditions ...Condition) Statement {
	statement := &clause{}
	statement.add("SELECT " + table.column(field).Name + " FROM " + table.Name)
	statement.where(table, conditions)
	statement.add(" LIMIT ?", most)
	return Statement{statement.text.String(), statement.args}
}

// from writes where the plan's rows come from. Only their ids are there if the statement needs no more.
func (p Plan) from(statement *clause, idsOnly bool) {
	if len(p.ways) == 0 {
		statement.add(" FROM " + p.table.Name)
		return
	}
	statement.add(" FROM (")
	for i, way := range p.ways {
		if i > 0 {
			statement.add(" UNION ") // no row twice
		}
		table, id := way.Table, way.ID
		if table == nil {
			table, id = p.table, idField
		}
		statement.add("SELECT " + id + " AS id FROM " + table.Name + " FORCE INDEX (" + way.Index + ")")
		statement.where(table, way.Where)
	}
	statement.add(") AS found")
	if !idsOnly {
		statement.add(" JOIN " + p.table.Name + " USING (" + idField + ")")
	}
}

// idsSuffice says that the rows' ids alone tell which are in the list, and their order.
func (p Plan) idsSuffice() bool {
	return len(p.ways) > 0 && len(p.where) == 0 && p.order[0].Field == idField
}

// selecting begins a statement. What the ways find comes first in the order of the join: the other order would look at every row.
func (p Plan) selecting(what string, idsOnly bool) string {
	if len(p.ways) > 0 && !idsOnly {
		return "SELECT STRAIGHT_JOIN " + what
	}
	return "SELECT " + what
}

// exactly writes the condition of that name.
func (c *clause) exactly(column Column, texts []any) {
	if len(texts) == 0 {
		c.add("FALSE")
		return
	}
	list := "IN (?" + strings.Repeat(", ?", len(texts)-1) + ")"
	c.add("("+column.Name+" "+list, texts...)
	c.add(" AND "+column.Name+" COLLATE utf8mb4_bin "+list+")", texts...)
}
