package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
)

// newAdmin makes an admin as an operator does, and logs in as it.
func newAdmin(t *testing.T) member {
	t.Helper()
	email := unique() + "@e2e.test"
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	command := system.Command(ctx, "admin", "--email", email)
	command.Stdin = strings.NewReader(password + "\n")
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	login := newClient().do(t, http.MethodPost, "/auth/login", map[string]any{"email": email, "password": password})
	require.Equal(t, http.StatusOK, login.status, login.text)
	return member{client: newClient().as(login.body["token"].(string)), id: idOf(login.body["user"]), email: email}
}

func TestAnAdminFindsOrdersByTheNameAndEmailOfTheirCustomer(t *testing.T) {
	t.Parallel()
	admin, buyer := newAdmin(t), signUp(t)
	ordered := buyer.do(t, http.MethodPost, "/orders/", newOrder("found by the customer"))
	admin.told = ordered.header.Get(consistency.Header)
	list := admin.do(t, http.MethodGet, "/orders/?search="+buyer.email+",CUSTOMER", nil)
	require.Equal(t, http.StatusOK, list.status, list.text)
	require.InDelta(t, 1, list.body["count"], 0, list.text)
	require.Equal(t, ordered.body["order_number"], list.body["results"].([]any)[0].(map[string]any)["order_number"])
}

func TestOrdersOutliveTheirCustomerForAdminsOnly(t *testing.T) {
	t.Parallel()
	admin, buyer := newAdmin(t), signUp(t)
	ordered := buyer.do(t, http.MethodPost, "/orders/", newOrder("outlives"))
	require.Equal(t, http.StatusNoContent, admin.do(t, http.MethodDelete, fmt.Sprintf("/accounts/users/%d", buyer.id), nil).status)
	require.Equal(t, http.StatusUnauthorized, buyer.do(t, http.MethodGet, "/orders/", nil).status)
	location := ordered.header.Get("Location")
	require.Equal(t, http.StatusOK, admin.do(t, http.MethodGet, location, nil).status)
	require.Equal(t, http.StatusNotFound, signUp(t).do(t, http.MethodGet, location, nil).status)
}
