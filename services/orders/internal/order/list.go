package order

import (
	"context"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// List is what may be asked of a list of orders. An unknown customer is refused in the words of django-filter.
var List = listing.List{
	Filters: []listing.Filter{
		listing.ID("customer", 1, "Select a valid choice. That choice is not one of the available choices."),
		listing.Text("order_number"), listing.Text("product_name"), listing.Choices("state", stateNames()...),
		listing.Since("paymented_at__gte", "paymented_at"), listing.Until("paymented_at__lt", "paymented_at"),
	},
	Search:   []string{"order number", "product", "customer's name and email"},
	Ordering: []string{"id", "customer", "order_number", "product_name", "paymented_at", "state"},
}

func stateNames() []string {
	var names []string
	for _, state := range States() {
		names = append(names, string(state))
	}
	return names
}

// Page is one page of a list of orders.
type Page struct {
	listing.Rows[Order]
	// CustomersUnknown says that the search went without some customers' names and emails: too many customers match, or
	// the accounts service did not answer in time.
	CustomersUnknown bool
}

// List returns one page of the caller's orders, or for an admin of all orders. Terms are looked for in the order's
// number, its product, and the name and email of its customer. Without the accounts service a search by cursor is the fault
// Unavailable: its pages together are a whole list, so none of them may lack rows that another one would have.
func (s *Service) List(ctx context.Context, caller authn.Principal, request listing.Request) (Page, error) {
	if !caller.Admin {
		if customer := request.Value("customer"); customer != nil && customer != caller.MemberID {
			return Page{}, nil
		}
		request = request.Only("customer", caller.MemberID)
	}
	query := Query{Request: request}
	var page Page
	var err error
	matching := s.matchingCustomers
	if request.Cursor == nil {
		matching = s.matchingCustomersSoon
	}
	query.Customers, page.CustomersUnknown, err = matching(ctx, request)
	if err != nil && request.Cursor != nil {
		return Page{}, fault.NewUnavailable(err)
	}
	page.Rows, err = s.deps.Store.Orders(ctx, query)
	if err == nil {
		s.noteListed(ctx, caller, audit.OrderList, request)
	}
	return page, err
}

// noteListed is noteLook for a list.
func (s *Service) noteListed(ctx context.Context, caller authn.Principal, action audit.Action, request listing.Request) {
	customerID, _ := request.Value("customer").(uint64)
	s.noteLook(ctx, caller, action, customerID, audit.Asked(request))
}

// exportPage is how many orders are read at once for an export.
const exportPage = 1000

// Export returns a function that reads all orders of the request, in parts, until it returns none. customersUnknown says that
// a search went without some customers, because too many match. Without the accounts service a search is the fault Unavailable.
// Only admins may ask.
func (s *Service) Export(
	ctx context.Context, caller authn.Principal, request listing.Request,
) (next func(context.Context) ([]Order, error), customersUnknown bool, err error) {
	caller, err = s.withCurrentRights(ctx, caller)
	if err != nil {
		return nil, false, err
	}
	if !caller.Admin {
		return nil, false, fault.NewForbidden()
	}
	query := Query{Request: request}
	query.Customers, customersUnknown, err = s.matchingCustomers(ctx, request)
	if err != nil {
		return nil, false, fault.NewUnavailable(err)
	}
	s.noteListed(ctx, caller, audit.OrderExport, request)
	// In the order of a value that changes, a row that changes meanwhile would come twice or not at all.
	request.Ordering = List.DefaultOrdering(request.Matches)
	return listing.Walk(request, exportPage, func(ctx context.Context, request listing.Request) (listing.Rows[Order], error) {
		query.Request = request
		return s.deps.Store.Orders(ctx, query)
	}), customersUnknown, nil
}

// matchingCustomersSoon gives up after matchBudget.
func (s *Service) matchingCustomersSoon(ctx context.Context, request listing.Request) (ids [][]uint64, incomplete bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, matchBudget)
	defer cancel()
	return s.matchingCustomers(ctx, request)
}

// matchingCustomers returns, for each term, the customers who match it. It is incomplete where too many match, and where the
// accounts service does not answer, which is the error.
func (s *Service) matchingCustomers(ctx context.Context, request listing.Request) (ids [][]uint64, incomplete bool, err error) {
	if len(request.Terms) == 0 {
		return nil, false, nil
	}
	among, _ := request.Value("customer").(uint64)
	ids, incomplete, err = s.deps.Members.Match(ctx, request.Terms, among)
	if err != nil {
		s.deps.Log.WarnContext(ctx, "accounts does not tell which customers a search finds", "error", err)
		return nil, true, err
	}
	return ids, incomplete, nil
}
