package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

func TestTheTimelineSaysWhatAChangeDidToEachField(t *testing.T) {
	t.Parallel()
	customer := order.FieldChange{Field: "customer", From: "1", To: "2"}
	number := order.FieldChange{Field: "order_number", From: "FIRST0000001", To: "NEW000000001"}
	product := order.FieldChange{Field: "product_name", From: "꼬막무침 🍤", To: "마카롱"}
	for name, c := range map[string]struct {
		caller authn.Principal
		change order.Change
		want   []order.FieldChange
	}{
		"an admin, all": {
			admin, order.Change{CustomerID: new(uint64(otherID)), OrderNumber: &number.To, ProductName: &product.To},
			[]order.FieldChange{customer, number, product},
		},
		"an admin, the number":          {admin, order.Change{OrderNumber: &number.To, ProductName: &product.From}, []order.FieldChange{number}},
		"its customer, the product":     {owner, order.Change{ProductName: &product.To}, []order.FieldChange{product}},
		"its customer, what it is, too": {owner, order.Change{CustomerID: new(uint64(ownerID)), OrderNumber: &number.To}, []order.FieldChange{number}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			_, _, err := w.Update(t.Context(), c.caller, 1, c.change, unconditional{}, once)
			require.NoError(t, err)
			require.Len(t, w.Store.Facts, 1)
			step := w.Store.Facts[0].Step()
			require.Equal(t, c.want, step.Changes)
			require.Equal(t, c.caller.MemberID, step.ActorID)
		})
	}
}

func TestANoteIsShownToWhoeverWroteItAndToAdmins(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Store.Steps = []order.Step{
		{ActorID: adminID, Note: "staff"}, {ActorID: ownerID, Note: "own"}, {ActorID: otherID, Note: "of the customer before"},
		{ActorID: adminID, Redacted: true}, {ActorID: ownerID, Redacted: true},
	}
	for caller, want := range map[authn.Principal][]string{
		owner: {"", "own", "", "", "redacted"},
		admin: {"staff", "own", "of the customer before", "redacted", "redacted"},
	} {
		page, err := w.Timeline(t.Context(), caller, 1, listing.Request{Limit: 10})
		require.NoError(t, err)
		shown := []string{}
		for _, step := range page.Values {
			if step.Redacted {
				step.Note += "redacted"
			}
			shown = append(shown, step.Note)
		}
		require.Equal(t, want, shown)
	}
}

func TestOnlyAnAdminRedactsNotes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caller  authn.Principal
		refused fault.Code
	}{
		"an admin":                   {caller: admin},
		"its customer":               {caller: owner, refused: fault.Forbidden},
		"another member":             {caller: other, refused: fault.Forbidden},
		"who is no longer admin":     {caller: authn.Principal{MemberID: otherID, Admin: true}, refused: fault.Forbidden},
		"an admin who is unheard of": {caller: authn.Principal{MemberID: 78, Admin: true}, refused: fault.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.Store.Steps = []order.Step{{ID: 5}}
			err := w.RedactNote(t.Context(), c.caller, 1, 5)
			if c.refused != "" {
				require.True(t, fault.Is(err, c.refused), "%v", err)
				require.Empty(t, w.Store.Redacted)
				return
			}
			require.NoError(t, err)
			require.Equal(t, [][3]uint64{{1, 5, adminID}}, w.Store.Redacted)
		})
	}
}

func TestNoNoteIsRedactedWhileAccountsDoesNotTellWhoIsAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Accounts.Failure = fault.NewUnavailable(nil)
	require.ErrorIs(t, w.RedactNote(t.Context(), admin, 1, 5), w.Accounts.Failure)
	require.Empty(t, w.Store.Redacted)
}
