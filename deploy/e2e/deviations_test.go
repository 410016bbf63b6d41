package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// deviations say, for each recorded answer of drf-oms that was wrong, what is answered here.
var deviations = map[string]func(*testing.T, *replay, answer){
	"signup duplicate email":     refusesField("email", "user with this email already exists."),
	"signup without password":    refusesField("password", "This field is required."),
	"order duplicate number":     refusesField("order_number", "order with this order number already exists."),
	"order nulls":                refusesField("product_name", "This field may not be null."),
	"order for someone else":     forbidsAndWritesNothing,
	"user patch other":           leavesMemberAlone,
	"user delete other":          leavesMemberAlone,
	"user patch duplicate email": refusesField("email", "A new email needs the current password."),
	"user patch password":        refusesField("current_password", "This field is required."),
}

// refusesField wants a 400 with this message for the field.
func refusesField(name, message string) func(*testing.T, *replay, answer) {
	return func(t *testing.T, _ *replay, got answer) {
		t.Helper()
		require.Equal(t, http.StatusBadRequest, got.status, got.text)
		require.Equal(t, []any{message}, got.body[name], got.text)
	}
}

func forbidsAndWritesNothing(t *testing.T, state *replay, got answer) {
	t.Helper()
	require.Equal(t, http.StatusForbidden, got.status)
	require.NotEmpty(t, got.body["detail"])
	list := newClient().as(state.tokens["B"]).do(t, http.MethodGet, "/orders/", nil)
	require.InEpsilon(t, 1.0, list.body["count"], 0, "B has the one order that B made")
}

func leavesMemberAlone(t *testing.T, state *replay, got answer) {
	t.Helper()
	require.Contains(t, []int{http.StatusForbidden, http.StatusNotFound}, got.status)
	require.NotEmpty(t, got.body["detail"])
	a := newClient().as(state.tokens["A"]).do(t, http.MethodGet, fmt.Sprintf("/accounts/users/%d", state.ids["A"]), nil)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "newnick", a.body["nickname"])
}
