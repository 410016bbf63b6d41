package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
	"oms.internal/orders/internal/order/ordertest"
)

func TestEveryFieldOfAnOrderIsRefusedInTheWordsOfDRFAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	const (
		blank    = "This field may not be blank."
		null     = "This field may not be null."
		noString = "Not a valid string."
		nul      = "Null characters are not allowed."
		pattern  = "This value does not match the required pattern."
		noKey    = "Incorrect type. Expected pk value, received "
	)
	missing := func(pk string) string { return fmt.Sprintf(`Invalid pk "%s" - object does not exist.`, pk) }
	for _, c := range []struct{ field, value, message string }{
		{"product_name", `""`, blank},
		{"product_name", `" \u3000\t"`, blank},
		{"product_name", `null`, null},
		{"product_name", `["p"]`, noString},
		{"product_name", `{}`, noString},
		{"product_name", `true`, noString},
		{"product_name", `"a\u0000b"`, nul},
		{"product_name", `"` + strings.Repeat("🍤", 101) + `"`, "Ensure this field has no more than 100 characters."},
		{"order_number", `"ABCDEFGHIJK"`, "Ensure this field has at least 12 characters."},
		{"order_number", `"ABCDEFGHIJKLM"`, "Ensure this field has no more than 12 characters."},
		{"order_number", `"abcdefghijkl"`, pattern},
		{"order_number", `"０１２３４５６７８９０１"`, pattern},
		{"order_number", `"ABCDEF\nGHIJK"`, pattern},
		{"order_number", `[]`, pattern},
		{"order_number", `null`, null},
		{"order_number", `"AAAA\u00000000001"`, nul},
		{"customer", `"abc"`, noKey + "str."},
		{"customer", `true`, noKey + "bool."},
		{"customer", `1.5`, noKey + "float."},
		{"customer", `1e400`, noKey + "float."},
		{"customer", `[1]`, noKey + "list."},
		{"customer", `{"id": 1}`, noKey + "dict."},
		{"customer", `null`, null},
		{"customer", `""`, null},
		{"customer", `0`, missing("0")},
		{"customer", `-1`, missing("-1")},
		{"customer", `18446744073709551617`, missing("18446744073709551617")},
		{"customer", `"9223372036854775808"`, missing("9223372036854775808")},
	} {
		// The last of repeated members counts.
		body := fmt.Sprintf(`{"product_name": "p", %q: %s}`, c.field, c.value)
		for method, path := range map[string]string{http.MethodPost: "/orders/", http.MethodPut: "/orders/1", http.MethodPatch: "/orders/1"} {
			w := newWorld(t)
			w.send(t, alice, method, path, body).requireField(t, c.field, c.message)
			w.requireUntouched(t)
		}
	}
}

func TestABadBodyIsRefusedAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		contentType, body string
		status            int
	}{
		{"application/json", `{bad`, 400},
		{"application/json", `[]`, 400},
		{"application/json", strings.Repeat("[", 20_000), 400},
		{"application/json", "{\"product_name\": \"\xff\"}", 400},
		{"application/json", `{"product_name": "\udf64\ud83c"}`, 400},
		{"application/x-www-form-urlencoded", "product_name=%ff", 400},
		{"text/plain", "hello", 415},
		{"", `{"product_name": "p"}`, 415},
		{"multipart/form-data; boundary=x", "--x--", 415},
	} {
		w := newWorld(t)
		for _, route := range routes {
			if route.body != "" {
				w.send(t, alice, route.method, route.path, c.body, "Content-Type", c.contentType).problem(t, c.status)
			}
		}
		w.requireUntouched(t)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	const required = "This field is required."
	w := newWorld(t)
	w.send(t, alice, http.MethodPost, "/orders/", "").requireField(t, "product_name", required)
	w.send(t, alice, http.MethodPut, "/orders/1", `{"order_number": "CHANGE000003"}`).requireField(t, "product_name", required)
	w.send(t, alice, http.MethodPost, "/orders/1/transitions", `{}`).requireField(t, "to", required)
	w.requireUntouched(t)
}

func TestUnusualGoodBodiesAreTaken(t *testing.T) {
	t.Parallel()
	const jsonType, formType = "application/json", "application/x-www-form-urlencoded"
	for name, c := range map[string]struct{ contentType, body, product string }{
		"as large as may be":   {jsonType, `{"product_name":"p"}` + strings.Repeat(" ", httpx.BodyLimit-len(`{"product_name":"p"}`)), "p"},
		"a charset":            {jsonType + "; charset=utf-8", `{"product_name": "p"}`, "p"},
		"a form":               {formType, "product_name=%EA%BC%AC%EB%A7%89+%F0%9F%8D%A4&customer=1", "꼬막 🍤"},
		"a number as text":     {jsonType, `{"product_name": 12.50, "customer": "1"}`, "12.50"},
		"a hundred characters": {jsonType, `{"product_name": "` + strings.Repeat("🍤", 100) + `"}`, strings.Repeat("🍤", 100)},
		"what looks like SQL":  {jsonType, `{"product_name": "'; DROP TABLE orders; --"}`, "'; DROP TABLE orders; --"},
		"blanks around it":     {jsonType, `{"product_name": "  꼬막무침 🍤  "}`, "꼬막무침 🍤"},
		"unknown fields":       {jsonType, `{"product_name": "p", "id": "x", "paymented_at": 7, "admin": true}`, "p"},
	} {
		created := newWorld(t).send(t, alice, http.MethodPost, "/orders/", c.body, "Content-Type", c.contentType)
		require.Equal(t, http.StatusCreated, created.status, "%s: %s", name, created.text)
		require.Equal(t, c.product, created.body(t)["product_name"], name)
	}
}

func TestABadTransitionIsRefusedAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, field, message string }{
		{`{"to": ""}`, "to", "This field may not be blank."},
		{`{"to": null}`, "to", "This field may not be null."},
		{`{"to": "deleted"}`, "to", `"deleted" is not a valid choice.`},
		{`{"to": ["paid"]}`, "to", "Not a valid string."},
		{`{"to": "cancelled", "note": []}`, "note", "Not a valid string."},
		{`{"to": "cancelled", "note": "\u0000"}`, "note", "Null characters are not allowed."},
		{`{"to": "cancelled", "note": "` + strings.Repeat("🚚", 501) + `"}`, "note", "Ensure this field has no more than 500 characters."},
	} {
		w := newWorld(t)
		w.send(t, alice, http.MethodPost, "/orders/1/transitions", c.body).requireField(t, c.field, c.message)
		w.requireUntouched(t)
	}
}

func TestATransitionWithTheLongestNoteIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	note := strings.Repeat("🚚", 500)
	body, err := json.Marshal(map[string]string{"to": "cancelled", "note": " " + note + " "})
	require.NoError(t, err)
	changed := w.send(t, alice, http.MethodPost, "/orders/1/transitions", string(body))
	require.Equal(t, http.StatusOK, changed.status, changed.text)
	require.Equal(t, "cancelled", changed.body(t)["state"])
	require.Equal(t, note, w.Store.Facts[0].Note)
	require.Equal(t, ordertest.FirstOrder().State, w.Store.Facts[0].From)
}
