package store

import (
	"context"
	"strings"

	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// List is where lists of orders are read. sql/README.md says what its indexes do not serve, and what that costs.
var List = &listsql.Table{
	Name: "orders",
	Columns: map[string]listsql.Column{
		"customer":     {Name: "customer_id", Kind: listsql.Number},
		"order_number": {Name: "order_number", Kind: listsql.Text, Unique: true, Stored: toNumber},
		"product_name": {Name: "product_name", Kind: listsql.Caseless},
		"paymented_at": {Name: "paid_at", Kind: listsql.Time},
		"state":        {Name: "state", Kind: listsql.Text},
	},
	Indexes: []listsql.Index{
		{Name: "orders_number", Fields: []string{"order_number"}},
		{Name: "orders_product", Fields: []string{"product_name"}},
		{Name: "orders_paid", Fields: []string{"paymented_at"}},
		{Name: "orders_state", Fields: []string{"state"}},
		{Name: "orders_state_paid", Fields: []string{"state", "paymented_at"}},
		{Name: "orders_customer", Fields: []string{"customer"}},
		{Name: "orders_customer_number", Fields: []string{"customer", "order_number"}},
		{Name: "orders_customer_product", Fields: []string{"customer", "product_name"}},
		{Name: "orders_customer_paid", Fields: []string{"customer", "paymented_at"}},
		{Name: "orders_customer_state", Fields: []string{"customer", "state"}},
		{Name: "orders_customer_state_paid", Fields: []string{"customer", "state", "paymented_at"}},
	},
	Remembered: &listsql.Remembered{Scope: "customer", Time: "paymented_at", Moves: &listsql.Table{
		Name: "order_moves",
		Columns: map[string]listsql.Column{
			"customer": {Name: "customer_id", Kind: listsql.Number},
			"row":      {Name: "order_id", Kind: listsql.Number},
			"at":       {Name: "at", Kind: listsql.Time},
		},
		Indexes: []listsql.Index{
			{Name: "order_moves_customer", Fields: []string{"customer"}, Covers: []string{"row"}},
			{Name: "order_moves_at", Fields: []string{"at"}},
		},
	}},
}

// toNumber is an order number in the case in which numbers are stored. They are ASCII: other letters have no part in one.
func toNumber(text string) string {
	return strings.Map(func(char rune) rune {
		if 'a' <= char && char <= 'z' {
			return char - 'a' + 'A'
		}
		return char
	}, text)
}

// Orders returns one page in at most three statements: the ids, their number unless the page tells it or it is remembered, the rows. A
// search takes up to three more.
func (s *Store) Orders(ctx context.Context, query order.Query) (page listing.Rows[order.Order], err error) {
	plan, err := s.counts.Plan(query.Request, found(query)...)
	if err != nil {
		return page, err
	}
	read := s.cluster.Read
	if !plan.Quick() {
		read = s.cluster.ReadSlowly
	}
	err = read(ctx, func(ctx context.Context, reader mysqlx.Reader) error {
		plan, err := searching(ctx, reader, query, plan)
		if err != nil {
			return err
		}
		page, err = listsql.Read(ctx, reader, plan, sqlcgen.New(reader).ListOrdersByIDs,
			func(row sqlcgen.Order) (uint64, order.Order) { return row.ID, toOrder(row) })
		return err
	})
	return page, err
}

// found is the condition of each term: it stands in the order, or its customer matches it.
func found(query order.Query) []listsql.Condition {
	var conditions []listsql.Condition
	for i, term := range query.Terms {
		either := []listsql.Condition{listsql.Contains("product_name", term)}
		if number := toNumber(term); order.NumberPattern.MatchString(number) { // others are in no number
			either = append(either, listsql.Contains("order_number", number))
		}
		if i < len(query.Customers) && len(query.Customers[i]) > 0 {
			either = append(either, listsql.In("customer", query.Customers[i]))
		}
		conditions = append(conditions, listsql.Any(either...))
	}
	return conditions
}
