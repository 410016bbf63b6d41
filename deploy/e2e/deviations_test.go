package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// deviations say, for each recorded answer of drf-oms that was wrong, what is answered here.
var deviations = map[string]func(*testing.T, *replay, answer){
	"signup duplicate email":     refusesField("email"),
	"signup without password":    refusesPasswordMissing,
	"order duplicate number":     refusesField("order_number"),
	"order nulls":                refusesField("product_name"),
	"order for someone else":     forbidsAndWritesNothing,
	"user patch other":           leavesMemberAlone,
	"user delete other":          leavesMemberAlone,
	"user patch duplicate email": refusesField("email"),
	"user patch password":        refusesField("current_password"),
}

// refusesField wants a 400 with messages for the field.
func refusesField(name string) func(*testing.T, *replay, answer) {
	return func(t *testing.T, _ *replay, got answer) {
		t.Helper()
		require.Equal(t, http.StatusBadRequest, got.status, got.text)
		require.NotEmpty(t, got.body[name], got.text)
		require.IsType(t, []any{}, got.body[name])
	}
}

func refusesPasswordMissing(t *testing.T, _ *replay, got answer) {
	t.Helper()
	require.Equal(t, http.StatusBadRequest, got.status)
	require.Equal(t, []any{"This field is required."}, got.body["password"])
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
