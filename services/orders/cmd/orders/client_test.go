package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
)

// caller is someone on whose behalf the gateway sends requests.
type caller struct {
	*process
	principal string // signed
}

func (p *process) as(t *testing.T, memberID uint64) caller {
	t.Helper()
	signed, err := p.signer.Sign(authn.Principal{MemberID: memberID, SessionID: 1, Admin: memberID == boss}, orders.Service)
	require.NoError(t, err)
	return caller{process: p, principal: signed}
}

type answer struct {
	status int
	header http.Header
	body   map[string]any
}

// send is try, and again while the process says that it is busy (503), as clients do: where the machine is busy, the process
// loses sight of its database for a moment.
func (c caller) send(t *testing.T, method, path, body string, headers ...string) (got answer) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		got, err = c.try(t.Context(), method, path, body, headers...)
		require.NoError(t, err)
		return got.status != http.StatusServiceUnavailable
	}, patience, poll, "%s %s", method, path)
	return got
}

// try sends a request once, with a JSON body, unless it is empty, for someone who must see all that anybody wrote. headers
// are names and values in turn.
func (c caller) try(ctx context.Context, method, path, body string, headers ...string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.HTTP.String()+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set(assertion.Header, c.principal)
	request.Header.Set(consistency.Header, consistency.Newest.String())
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	got := answer{status: response.StatusCode, header: response.Header}
	return got, json.NewDecoder(response.Body).Decode(&got.body)
}

// order makes an order and returns its path.
func (c caller) order(t *testing.T, number string) string {
	t.Helper()
	created := c.send(t, http.MethodPost, "/orders/", fmt.Sprintf(`{"order_number": %q, "product_name": "p"}`, number))
	require.Equal(t, http.StatusCreated, created.status, created.body)
	return created.header.Get("Location")
}

// orderForBob is what an admin asks of accounts, too.
const orderForBob = `{"customer": 2, "product_name": "p"}`
