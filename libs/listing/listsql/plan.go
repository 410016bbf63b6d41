package listsql

import (
	"slices"

	"oms.internal/libs/listing"
)

// Plan is how a list is read.
type Plan struct {
	table   *Table
	request listing.Request
	// where are the conditions, and index what serves them with the order, nil where no index serves both.
	where []Condition
	index *Index
	// order is the order of the list's rows, the tie-breaker included.
	order []listing.Key
	// place holds the values of these keys at the cursor, nil for NULL. It is empty where no row comes before the page.
	place []any
	// split is the field with several values that is read value by value, because the index has the rows of each value in
	// order, but not those of all. It is "" where there is none.
	split string
	// ways lead to the rows, unless there are none.
	ways []Way
	// counts remembers the number of the rows, which are those of scope; known is what it knows. Both may be nil.
	counts *Counts
	scope  scope
	known  *known
}

// Plan chooses how to read the list that the request asks for and whose rows also meet the conditions. The fault is that of
// an invalid cursor.
func (t *Table) Plan(request listing.Request, also ...Condition) (Plan, error) {
	plan := Plan{table: t, request: request}
	for _, match := range request.Matches {
		plan.where = append(plan.where, toCondition(match))
	}
	plan.where = append(plan.where, also...)
	fixed := plan.fields(is, isNull)
	ordering := request.Ordering
	if len(ordering) == 0 {
		ordering = t.Order
	}
	plan.order = t.order(ordering, fixed)
	plan.choose(fixed)
	err := plan.parseCursor()
	return plan, err
}

func toCondition(match listing.Match) Condition {
	switch match.Op {
	case listing.In:
		if len(match.Values) > 1 {
			return In(match.Field, match.Values)
		}
	case listing.AtLeast:
		return AtLeast(match.Field, match.Values[0])
	case listing.Below:
		return Below(match.Field, match.Values[0])
	}
	return Is(match.Field, match.Values[0])
}

// Direct says that an index gives the page: the server reads no other rows and sorts nothing. A plan that is not direct reads
// every row, or those that a condition with an index leaves.
func (p Plan) Direct() bool { return p.index != nil }

// maxQuickOffset is how many index entries a quick page skips at most.
const maxQuickOffset = 2000

// Quick says that the page costs no more than a page near an end of a list that an index serves. Others should be read
// in few at the same time.
func (p Plan) Quick() bool {
	skipped := p.request.Offset
	if p.known != nil {
		skipped = p.nearer(int(p.known.latest.Load())).offset
	}
	return p.Direct() && skipped <= maxQuickOffset
}

// Index is the name of the index that serves a direct plan.
func (p Plan) Index() string {
	if p.index == nil {
		return ""
	}
	return p.index.Name
}

// fields returns the fields that the conditions compare in one of these ways.
func (p Plan) fields(kinds ...comparison) []string {
	var fields []string
	for _, condition := range p.where {
		if slices.Contains(kinds, condition.kind) && !slices.Contains(fields, condition.field) {
			fields = append(fields, condition.field)
		}
	}
	return fields
}

func (p *Plan) choose(fixed []string) {
	for _, field := range fixed {
		if p.table.column(field).Unique {
			p.index = p.table.leading(field) // one row at most, whatever else is asked
			return
		}
	}
	if slices.ContainsFunc(p.where, func(c Condition) bool { return !c.simple() }) {
		return
	}
	several := p.fields(in)
	if p.index = p.serving(fixed, append(p.fields(atLeast, below), several...)); p.index != nil || len(several) != 1 {
		return
	}
	if p.index = p.serving(append(slices.Clone(fixed), several...), p.fields(atLeast, below)); p.index != nil {
		p.split = several[0]
	}
}

// leading returns the index that begins with a field.
func (t *Table) leading(field string) *Index {
	for _, index := range t.indexes() {
		if field == idField || len(index.Fields) > 0 && index.Fields[0] == field {
			return &index
		}
	}
	return nil
}

// serving returns an index that begins with the fixed fields, goes on in the order of the rows, and holds the fields that must
// lie in a range: as the first field of that order, or as a covered one. It returns nil if there is none.
func (p Plan) serving(fixed, ranges []string) *Index {
	for _, index := range p.table.indexes() {
		if len(index.Fields) < len(fixed) {
			continue
		}
		prefix, rest := index.Fields[:len(fixed)], append(slices.Clone(index.Fields[len(fixed):]), idField)
		if slices.ContainsFunc(fixed, func(field string) bool { return !slices.Contains(prefix, field) }) || !p.follows(rest) {
			continue
		}
		held := append(slices.Clone(index.Covers), rest[0])
		if !slices.ContainsFunc(ranges, func(field string) bool { return !slices.Contains(held, field) }) {
			return &index
		}
	}
	return nil
}

// follows says that fields, which an index is sorted by, are the order of the plan.
func (p Plan) follows(fields []string) bool {
	if len(p.order) > len(fields) {
		return false
	}
	for i, key := range p.order {
		if key.Field != fields[i] || key.Descending != p.order[0].Descending {
			return false
		}
	}
	return true
}
