package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

func TestAnOrderIsTheCallersAndPaidNowUnlessSaidOtherwise(t *testing.T) {
	t.Parallel()
	w := newWorld()
	created, err := w.create(t, other, order.Change{ProductName: new("마카롱")})
	require.NoError(t, err)
	require.Equal(t, order.Order{
		ID: 2, CustomerID: otherID, OrderNumber: "GENERATED001", ProductName: "마카롱",
		PaidAt: time.Date(2026, 11, 23, 6, 36, 30, 511840000, time.UTC), State: order.Paid, Version: 1,
	}, created)
	require.Equal(t, created, w.Store.Stored[2])
	require.Empty(t, w.Accounts.Asked)
}

func TestTheCustomerOfANewOrder(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		caller   authn.Principal
		customer uint64
		refused  fault.Code
		asked    bool
	}{
		"a member for itself":              {caller: owner, customer: ownerID},
		"a member for another":             {caller: owner, customer: otherID, refused: fault.Forbidden},
		"a member for nobody":              {caller: owner, customer: 77, refused: fault.Forbidden},
		"an admin for itself":              {caller: admin, customer: adminID},
		"an admin for a member":            {caller: admin, customer: otherID, asked: true},
		"an admin for someone who is not":  {caller: admin, customer: 77, asked: true, refused: fault.Invalid},
		"an admin for the greatest number": {caller: admin, customer: 1<<63 - 1, asked: true, refused: fault.Invalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			created, err := w.create(t, c.caller, order.Change{CustomerID: &c.customer, ProductName: new("p")})
			if c.asked {
				require.ElementsMatch(t, []any{c.customer, c.caller.MemberID}, w.Accounts.Asked)
			} else {
				require.Empty(t, w.Accounts.Asked)
			}
			if c.refused == "" {
				require.NoError(t, err)
				require.Equal(t, c.customer, created.CustomerID)
				require.Equal(t, created, w.Store.Stored[2])
				return
			}
			require.True(t, fault.Is(err, c.refused), "%v", err)
			require.Zero(t, w.Store.Writes)
		})
	}
}

func TestAnUnknownCustomerIsNamedAsDRFNamesIt(t *testing.T) {
	t.Parallel()
	_, err := newWorld().create(t, admin, order.Change{CustomerID: new(uint64(77)), ProductName: new("p")})
	require.Equal(t, map[string][]string{"customer": {`Invalid pk "77" - object does not exist.`}}, fault.Of(err).Fields)
}

func TestAGeneratedNumberThatIsTakenIsReplacedUnseen(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Numbers = []string{"FIRST0000001", "FIRST0000001", "FREE00000001"}
	created, err := w.create(t, owner, order.Change{ProductName: new("p")})
	require.NoError(t, err)
	require.Equal(t, "FREE00000001", created.OrderNumber)
	require.Equal(t, 3, w.Store.Writes)
}

func TestRunningOutOfGeneratedNumbersIsOurFaultAndNotTheClients(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for range 20 {
		w.Numbers = append([]string{"FIRST0000001"}, w.Numbers...)
	}
	_, err := w.create(t, owner, order.Change{ProductName: new("p")})
	require.True(t, fault.Is(err, fault.Internal), "%v", err)
	require.LessOrEqual(t, w.Store.Writes, 5)
}

func TestWithoutRandomnessNothingIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Numbers = nil
	_, err := w.create(t, owner, order.Change{ProductName: new("p")})
	require.Equal(t, fault.Internal, fault.Of(err).Code)
	require.Zero(t, w.Store.Writes)
}

func TestAGivenNumberThatIsTakenIsRefusedAndNotReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld()
	_, err := w.create(t, other, order.Change{OrderNumber: new("FIRST0000001"), ProductName: new("p")})
	require.ErrorIs(t, err, order.ErrNumberTaken)
	require.Equal(t, map[string][]string{"order_number": {"order with this order number already exists."}}, fault.Of(err).Fields)
	require.Equal(t, 1, w.Store.Writes)
	require.Equal(t, map[uint64]order.Order{1: ordertest.FirstOrder()}, w.Store.Stored)
}

func TestAFailedWriteIsNotRepeatedWithAnotherNumber(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Store.Failure = fault.New(fault.OutcomeUnknown, "?", nil)
	_, err := w.create(t, owner, order.Change{ProductName: new("p")})
	require.ErrorIs(t, err, w.Store.Failure)
	require.Equal(t, []string{"GENERATED002"}, w.Numbers, "one number was drawn")
}
