package listsql

import "strings"

// Condition is what a row must meet. Conditions are made by the functions below, whose fields are declared names.
type Condition struct {
	field  string // of a condition that an index can serve
	kind   comparison
	values []any
	nested []Condition
}

type comparison int

const (
	is comparison = iota
	isNull
	in
	atLeast
	below
	contains
	exactly
	allOf
	anyOf
)

// Is holds for rows whose field is the value.
func Is(field string, value any) Condition {
	return Condition{field: field, kind: is, values: []any{value}}
}

// IsNull holds for rows whose field has no value.
func IsNull(field string) Condition { return Condition{field: field, kind: isNull} }

// In holds for rows whose field is one of the values, for none without values.
func In[T any](field string, values []T) Condition {
	condition := Condition{field: field, kind: in}
	for _, value := range values {
		condition.values = append(condition.values, value)
	}
	return condition
}

// AtLeast holds for rows whose field is the value or above it.
func AtLeast(field string, value any) Condition {
	return Condition{field: field, kind: atLeast, values: []any{value}}
}

// Below holds for rows whose field is below the value.
func Below(field string, value any) Condition {
	return Condition{field: field, kind: below, values: []any{value}}
}

// Contains holds for rows whose field holds the text, of a caseless field whatever the case.
func Contains(field, text string) Condition {
	return Condition{field: field, kind: contains, values: []any{text}}
}

// All holds for rows that meet every condition.
func All(conditions ...Condition) Condition { return Condition{kind: allOf, nested: conditions} }

// Any holds for rows that meet one of the conditions.
func Any(conditions ...Condition) Condition { return Condition{kind: anyOf, nested: conditions} }

// simple says that the condition compares one field in a way that an index can serve.
func (c Condition) simple() bool { return c.kind < contains }

// clause is a piece of a statement with its parameters.
type clause struct {
	text strings.Builder
	args []any
}

func (c *clause) add(text string, args ...any) {
	c.text.WriteString(text)
	c.args = append(c.args, args...)
}

// where writes the conditions, which must all be met.
func (c *clause) where(table *Table, conditions []Condition) {
	for i, condition := range conditions {
		if i == 0 {
			c.add(" WHERE ")
		} else {
			c.add(" AND ")
		}
		c.condition(table, condition)
	}
}

func (c *clause) condition(table *Table, condition Condition) {
	switch condition.kind {
	case allOf:
		c.joined(table, condition.nested, " AND ", "TRUE")
		return
	case anyOf:
		c.joined(table, condition.nested, " OR ", "FALSE")
		return
	}
	column := table.column(condition.field)
	switch condition.kind {
	case is:
		c.equal(column, condition.values[0])
	case isNull:
		c.add(column.Name + " IS NULL")
	case in:
		if len(condition.values) == 0 {
			c.add("FALSE")
			return
		}
		c.add(column.Name+" IN (?"+strings.Repeat(", ?", len(condition.values)-1)+")", condition.values...)
	case atLeast:
		c.add(column.Name+" >= ?", condition.values[0])
	case below:
		c.add(column.Name+" < ?", condition.values[0])
	case exactly:
		c.exactly(column, condition.values)
	case contains:
		text, _ := condition.values[0].(string)
		pattern := "%" + likeEscaper.Replace(text) + "%"
		if column.Kind != Caseless {
			c.add(column.Name+" LIKE ?", pattern)
			return
		}
		c.add(folded(column.Name, text)+" LIKE "+folded("?", text), pattern)
	}
}

func (c *clause) joined(table *Table, conditions []Condition, with, none string) {
	if len(conditions) == 0 {
		c.add(none)
		return
	}
	c.add("(")
	for i, condition := range conditions {
		if i > 0 {
			c.add(with)
		}
		c.condition(table, condition)
	}
	c.add(")")
}

// equal compares a column with a value. In the collation of caseless text é equals e, and パ equals ハ. The index is in that
// collation, so it finds the candidates, and the folded texts leave those that differ in nothing but case.
func (c *clause) equal(column Column, value any) {
	text, isText := value.(string)
	if isText && column.Stored != nil {
		text = column.Stored(text)
		value = text
	}
	c.add(column.Name+" = ?", value)
	if isText && column.Kind == Caseless {
		c.add(" AND "+folded(column.Name, text)+" = "+folded("?", text), text)
	}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// folded is an SQL expression for a text in lower case, compared character by character. The server folds both sides of a
// comparison, so that a text always finds itself. Its LOWER makes i of İ, which is another letter, and leaves ς and σ, the two
// lower cases of Σ, different. These letters are replaced before, but only where the text that is looked for has one of them,
// because each replacement is one more pass over every text.
func folded(expression, text string) string {
	folded := expression
	if strings.ContainsAny(text, "iIİ") {
		folded = "REPLACE(" + folded + " COLLATE utf8mb4_bin, 'İ', 'i\u0307')"
	}
	if strings.ContainsAny(text, "σςΣ") {
		folded = "REPLACE(" + folded + " COLLATE utf8mb4_bin, 'ς', 'σ')"
	}
	return "LOWER(" + folded + " COLLATE utf8mb4_unicode_520_ci) COLLATE utf8mb4_bin"
}

// Folded is the SQL expression for a text as Contains compares it, with all its letters replaced. What Contains finds of a text is part of it
// in this form, too, if the text that is looked for is also in this form.
func Folded(expression string) string { return folded(expression, "iσ") }
