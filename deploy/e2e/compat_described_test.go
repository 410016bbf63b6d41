package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a client of drf-oms got is what the description promises, but for what this file lists: members that came to be beside those of
// drf-oms, and the status of a sign-up. Answers of drf-oms that were wrong are in deviations_test.go.

// addedToLogins, addedToOrders and addedToRefusals are the members that drf-oms did not have.
var (
	addedToLogins = map[string]any{
		"expiry": "2026-11-24T07:00:00.123456+09:00", "refresh_token": strings.Repeat("a", 43), "refresh_expiry": "2026-12-23T21:00:00.123456+09:00",
	}
	addedToOrders = map[string]any{"id": 1, "state": "paid"}
	// By status. Where a field is refused, the type is "invalid".
	addedToRefusals = map[int]map[string]any{
		http.StatusBadRequest:           {"type": "urn:oms:fault:malformed", "title": "Bad Request", "status": 400, "detail": "Invalid input."},
		http.StatusUnauthorized:         {"type": "urn:oms:fault:unauthenticated", "title": "Unauthorized", "status": 401},
		http.StatusNotFound:             {"type": "urn:oms:fault:not_found", "title": "Not Found", "status": 404},
		http.StatusMethodNotAllowed:     {"type": "urn:oms:fault:method_not_allowed", "title": "Method Not Allowed", "status": 405},
		http.StatusUnsupportedMediaType: {"type": "urn:oms:fault:unsupported_media_type", "title": "Unsupported Media Type", "status": 415},
	}
)

func TestEveryRecordedAnswerOfDRFOMSIsDescribedWithTheMembersAddedSince(t *testing.T) {
	t.Parallel()
	state := &replay{run: "run", num: "12345678", ids: map[string]uint64{"A": 1, "B": 2, "C": 3}, tokens: map[string]string{}}
	checked := 0
	for _, exchange := range recordedExchanges(t) {
		if exchange.Deviates != "" {
			continue
		}
		status := exchange.Answer.Status
		if strings.HasPrefix(exchange.Name, "signup ") && status == http.StatusOK {
			status = http.StatusCreated
		}
		var recorded any
		require.NoError(t, json.Unmarshal([]byte(state.fill(string(exchange.Answer.Body))), &recorded))
		body, contentType := []byte{}, ""
		if recorded != nil {
			var err error
			body, err = json.Marshal(withAdded(recorded, "", status))
			require.NoError(t, err)
			contentType = "application/json"
		}
		if status >= http.StatusBadRequest {
			contentType = "application/problem+json"
		}
		require.NoError(t, description.CheckBody(exchange.Method, state.fill(exchange.Path), status, contentType, body), exchange.Name)
		checked++
	}
	require.Equal(t, 55-len(deviations), checked)
}

// withAdded returns a recorded value, the member of this name, with what stands for it here: placeholders filled, and members added.
func withAdded(value any, name string, status int) any {
	switch value := value.(type) {
	case map[string]any:
		whole := map[string]any{}
		for name, member := range value {
			whole[name] = withAdded(member, name, status)
		}
		add := func(added map[string]any) {
			for name, member := range added {
				if _, recorded := whole[name]; !recorded {
					whole[name] = member
				}
			}
		}
		_, isLogin := value["token"]
		_, isOrder := value["order_number"]
		_, isText := value["detail"]
		switch {
		case status >= http.StatusBadRequest && !isText:
			whole["type"] = "urn:oms:fault:invalid"
			add(addedToRefusals[status])
		case status >= http.StatusBadRequest:
			add(addedToRefusals[status])
		case isLogin:
			add(addedToLogins)
		case isOrder:
			add(addedToOrders)
		}
		return whole
	case []any:
		whole := make([]any, len(value))
		for i, element := range value {
			whole[i] = withAdded(element, "", status)
		}
		return whole
	case string:
		return withoutPlaceholder(value, name)
	default:
		return value
	}
}

func withoutPlaceholder(text, name string) any {
	switch {
	case text == "$token":
		return "token"
	case text == "$seoul-time":
		return "2026-11-23T21:00:00.123456+09:00"
	case strings.HasPrefix(text, "$"):
		return 1
	case name == "next", name == "previous":
		return gatewayURL() + text
	default:
		return text
	}
}
