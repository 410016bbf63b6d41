package order

import (
	"context"

	"oms.internal/libs/authn"
)

// Orderable returns the fields by which a list of orders may be ordered.
func Orderable() []string {
	return []string{"id", "customer", "order_number", "product_name", "paymented_at"}
}

// Page is one page of a list of orders.
type Page struct {
	Orders []Order
	// Count is how many orders the whole list has.
	Count int
	// CustomersUnknown says that the search went without some customers' names and emails: the accounts service did not
	// answer in time, or too many customers match.
	CustomersUnknown bool
}

// List returns one page of the caller's orders, or for an admin of all orders. Terms are looked for in the order's
// number, its product, and the name and email of its customer.
func (s *Service) List(ctx context.Context, caller authn.Principal, query Query) (Page, error) {
	if !caller.Admin {
		if query.CustomerID != 0 && query.CustomerID != caller.MemberID {
			return Page{}, nil
		}
		query.CustomerID = caller.MemberID
	}
	var page Page
	var err error
	if len(query.Terms) > 0 {
		query.Customers, page.CustomersUnknown = s.matchingCustomers(ctx, query)
	}
	page.Orders, page.Count, err = s.deps.Store.Orders(ctx, query)
	return page, err
}

func (s *Service) matchingCustomers(ctx context.Context, query Query) (ids [][]uint64, incomplete bool) {
	ctx, cancel := context.WithTimeout(ctx, matchBudget)
	defer cancel()
	ids, truncated, err := s.deps.Members.Match(ctx, query.Terms, query.CustomerID)
	if err != nil {
		s.deps.Log.WarnContext(ctx, "searching without customers", "error", err)
		return nil, true
	}
	return ids, truncated
}
