package order

import (
	"context"
	"fmt"
	"sync"
	"time"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// memberBudget is how long an admin's write waits for the accounts service.
const memberBudget = time.Second

// mayUse returns the fault NotFound for an order of somebody else, so that nobody learns that there is one.
func mayUse(caller authn.Principal, order Order) error {
	if caller.Admin || caller.MemberID == order.CustomerID {
		return nil
	}
	return authn.NewHidden(order.CustomerID)
}

// mayAlter refuses a customer who changes or deletes an order that is no longer just paid. Staff work with it then, and a
// cancelled one is kept as the record of what was paid.
func mayAlter(caller authn.Principal, order Order) error {
	if caller.Admin || order.State == Paid {
		return nil
	}
	detail := fmt.Sprintf("An order that is %s can no longer be changed or deleted by its customer.", order.State)
	return fault.New(fault.Conflict, detail, nil)
}

// mayChange returns the order that the caller is going to change, and the caller with the rights that it has now. Whoever
// may not see the order hears so without a lock on it, or on the gap in which new orders are inserted. customerID is whom the
// order is given to, nil for nobody. The present customer needs no check: it may have been deleted since.
func (s *Service) mayChange(
	ctx context.Context, caller authn.Principal, id uint64, customerID *uint64,
) (Order, authn.Principal, error) {
	shown, err := s.find(ctx, caller, id)
	switch {
	case err != nil:
		return Order{}, caller, err
	case customerID != nil && *customerID != shown.CustomerID:
		caller, err = s.mayGive(ctx, caller, *customerID)
	default:
		caller, err = s.withCurrentRights(ctx, caller)
	}
	return shown, caller, err
}

// withCurrentRights returns the caller of a write with the rights that it has now. A token is up to ten hours old, so it does
// not prove that its member is still an admin: accounts is asked, and without its answer nothing is written. Nobody is asked
// about a caller whose token claims no right.
func (s *Service) withCurrentRights(ctx context.Context, caller authn.Principal) (authn.Principal, error) {
	if !caller.Admin {
		return caller, nil
	}
	ctx, cancel := context.WithTimeout(ctx, memberBudget)
	defer cancel()
	member, err := s.deps.Members.Member(ctx, caller.MemberID)
	caller.Admin = member.Admin && err == nil
	return caller, err
}

// mayGive is withCurrentRights for a caller that gives an order to this customer. Only admins may do that, and only members may
// be the customer. Accounts is asked about both at the same time.
func (s *Service) mayGive(ctx context.Context, caller authn.Principal, customerID uint64) (authn.Principal, error) {
	if !caller.Admin {
		return caller, fault.NewForbidden()
	}
	asked, cancel := context.WithTimeout(ctx, memberBudget)
	defer cancel()
	var customer Member
	var unknown error
	var asking sync.WaitGroup
	asking.Go(func() { customer, unknown = s.deps.Members.Member(asked, customerID) })
	caller, err := s.withCurrentRights(ctx, caller)
	asking.Wait()
	switch {
	case err != nil:
		return caller, err
	case !caller.Admin:
		return caller, fault.NewForbidden()
	case unknown != nil:
		return caller, unknown
	case !customer.Exists:
		return caller, NoSuchCustomer(customerID)
	}
	return caller, nil
}
