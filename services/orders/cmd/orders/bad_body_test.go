package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// badBodies are refused whatever they are sent to. The field is the one that is told of, "" for none.
var badBodies = []struct {
	name, contentType, body string
	status                  int
	field, text             string
}{
	{"not JSON", jsonType, `{bad`, 400, "", ""},
	{"half of a body", jsonType, `{"product_name": "p"`, 400, "", ""},
	{"two bodies", jsonType, `{"product_name": "p"} {}`, 400, "", ""},
	{"a list", jsonType, `[]`, 400, "non_field_errors", "Invalid data. Expected a dictionary, but got list."},
	{"a text", jsonType, `"p"`, 400, "non_field_errors", "Invalid data. Expected a dictionary, but got str."},
	{"null", jsonType, `null`, 400, "non_field_errors", "No data provided"},
	{"deeply nested", jsonType, strings.Repeat("[", 20_000), 400, "", ""},
	{"bad UTF-8", jsonType, "{\"product_name\": \"\xff\"}", 400, "", ""},
	{"a surrogate in UTF-8", jsonType, "{\"product_name\": \"\xed\xa0\x80\"}", 400, "", ""},
	{"a high surrogate alone", jsonType, `{"product_name": "\ud83c"}`, 400, "", ""},
	{"a low surrogate alone", jsonType, `{"product_name": "\udf64 x"}`, 400, "", ""},
	{"surrogates the wrong way round", jsonType, `{"product_name": "\udf64\ud83c"}`, 400, "", ""},
	{"NUL in the body", jsonType, "{\"product_name\": \"a\x00b\"}", 400, "", ""},
	{"NUL in a text", jsonType, `{"product_name": "a\u0000b"}`, 400, "product_name", "Null characters are not allowed."},
	{"NUL in a number", jsonType, `{"product_name": "p", "order_number": "AAAA\u00000000001"}`, 400, "order_number", "Null characters are not allowed."},
	{"NUL in a form", formType, "product_name=a%00b", 400, "product_name", "Null characters are not allowed."},
	{"bad UTF-8 in a form", formType, "product_name=%ff", 400, "", ""},
	{"a bad form", formType, "product_name=%zz", 400, "", ""},
	{"text", "text/plain", "hello", 415, "", ""},
	{"JSON that says nothing", "", `{"product_name": "p"}`, 415, "", ""},
	{"XML", "application/xml", "<order/>", 415, "", ""},
	{"multipart", "multipart/form-data; boundary=x", "--x--", 415, "", ""},
	{"too large", jsonType, `{"product_name": "` + strings.Repeat("p", httpx.BodyLimit) + `"}`, 413, "", ""},

	{"a blank product", jsonType, `{"product_name": ""}`, 400, "product_name", "This field may not be blank."},
	{"spaces as a product", jsonType, `{"product_name": " \u3000\t"}`, 400, "product_name", "This field may not be blank."},
	{"null as a product", jsonType, `{"product_name": null}`, 400, "product_name", "This field may not be null."},
	{"a list as a product", jsonType, `{"product_name": ["p"]}`, 400, "product_name", "Not a valid string."},
	{"an object as a product", jsonType, `{"product_name": {}}`, 400, "product_name", "Not a valid string."},
	{"a truth as a product", jsonType, `{"product_name": true}`, 400, "product_name", "Not a valid string."},
	{"a long product", jsonType, `{"product_name": "` + strings.Repeat("🍤", 101) + `"}`, 400, "product_name", "Ensure this field has no more than 100 characters."},

	{"a short number", jsonType, `{"product_name": "p", "order_number": "ABCDEFGHIJK"}`, 400, "order_number", "Ensure this field has at least 12 characters."},
	{"a long number", jsonType, `{"product_name": "p", "order_number": "ABCDEFGHIJKLM"}`, 400, "order_number", "Ensure this field has no more than 12 characters."},
	{"small letters", jsonType, `{"product_name": "p", "order_number": "abcdefghijkl"}`, 400, "order_number", "This value does not match the required pattern."},
	{"other digits", jsonType, `{"product_name": "p", "order_number": "０１２３４５６７８９０１"}`, 400, "order_number", "This value does not match the required pattern."},
	{"lines in a number", jsonType, `{"product_name": "p", "order_number": "ABCDEF\nGHIJK"}`, 400, "order_number", "This value does not match the required pattern."},
	{"null as a number", jsonType, `{"product_name": "p", "order_number": null}`, 400, "order_number", "This field may not be null."},
	{"a list as a number", jsonType, `{"product_name": "p", "order_number": []}`, 400, "order_number", "This value does not match the required pattern."},

	{"a word as a customer", jsonType, `{"product_name": "p", "customer": "abc"}`, 400, "customer", "Incorrect type. Expected pk value, received str."},
	{"a truth as a customer", jsonType, `{"product_name": "p", "customer": true}`, 400, "customer", "Incorrect type. Expected pk value, received bool."},
	{"a fraction as a customer", jsonType, `{"product_name": "p", "customer": 1.5}`, 400, "customer", "Incorrect type. Expected pk value, received float."},
	{"an exponent as a customer", jsonType, `{"product_name": "p", "customer": 1e400}`, 400, "customer", "Incorrect type. Expected pk value, received float."},
	{"a list as a customer", jsonType, `{"product_name": "p", "customer": [1]}`, 400, "customer", "Incorrect type. Expected pk value, received list."},
	{"an object as a customer", jsonType, `{"product_name": "p", "customer": {"id": 1}}`, 400, "customer", "Incorrect type. Expected pk value, received dict."},
	{"null as a customer", jsonType, `{"product_name": "p", "customer": null}`, 400, "customer", "This field may not be null."},
	{"nothing as a customer", jsonType, `{"product_name": "p", "customer": ""}`, 400, "customer", "This field may not be null."},
	{"0 as a customer", jsonType, `{"product_name": "p", "customer": 0}`, 400, "customer", `Invalid pk "0" - object does not exist.`},
	{"a negative customer", jsonType, `{"product_name": "p", "customer": -1}`, 400, "customer", `Invalid pk "-1" - object does not exist.`},
	{"a huge customer", jsonType, `{"product_name": "p", "customer": 18446744073709551617}`, 400, "customer", `Invalid pk "18446744073709551617" - object does not exist.`},
	{"a huge customer as text", jsonType, `{"product_name": "p", "customer": "9223372036854775808"}`, 400, "customer", `Invalid pk "9223372036854775808" - object does not exist.`},
}

func TestABadBodyIsRefusedAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	p := start(t)
	owner := p.as(t, alice)
	path := owner.order(t, "UNTOUCHED001", "before")
	before := owner.get(t, path).body
	for _, c := range badBodies {
		t.Run(c.name, func(t *testing.T) {
			for method, target := range map[string]string{http.MethodPost: "/orders/", http.MethodPut: path, http.MethodPatch: path} {
				refused := owner.send(t, message{method: method, path: target, contentType: c.contentType, body: c.body})
				refused.requireProblem(t, c.status)
				if c.field != "" {
					refused.requireField(t, c.field, c.text)
				}
				require.Equal(t, 1, p.orders(t))
				require.Equal(t, before, owner.get(t, path).body)
			}
		})
	}
}

func TestAMissingBodyLacksTheProduct(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.as(t, alice).send(t, message{method: http.MethodPost, path: "/orders/"}).
		requireField(t, "product_name", "This field is required.")
	require.Zero(t, p.orders(t))
}

func TestUnusualGoodBodiesAreTaken(t *testing.T) {
	t.Parallel()
	p := start(t)
	padding := strings.Repeat(" ", httpx.BodyLimit-len(`{"product_name":"p"}`))
	cases := map[string]struct{ contentType, body, product string }{
		"as large as may be":   {jsonType, `{"product_name":"p"}` + padding, "p"},
		"a charset":            {jsonType + "; charset=utf-8", `{"product_name": "p"}`, "p"},
		"a form":               {formType, "product_name=%EA%BC%AC%EB%A7%89+%F0%9F%8D%A4&customer=1", "꼬막 🍤"},
		"a number as text":     {jsonType, `{"product_name": 12.50, "customer": "1"}`, "12.50"},
		"a pair of surrogates": {jsonType, `{"product_name": "\ud83c\udf64"}`, "🍤"},
		"a hundred characters": {jsonType, `{"product_name": "` + strings.Repeat("🍤", 100) + `"}`, strings.Repeat("🍤", 100)},
		"what looks like SQL":  {jsonType, `{"product_name": "'; DROP TABLE orders; --"}`, "'; DROP TABLE orders; --"},
		"unknown fields":       {jsonType, `{"product_name": "p", "id": "x", "paymented_at": 7, "admin": true}`, "p"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			created := p.as(t, alice).send(t, message{method: http.MethodPost, path: "/orders/", contentType: c.contentType, body: c.body})
			require.Equal(t, http.StatusCreated, created.status, created.text)
			require.Equal(t, c.product, created.body["product_name"])
			require.Equal(t, created.body, p.as(t, alice).get(t, created.header.Get("Location")).body)
		})
	}
	require.Equal(t, len(cases), p.orders(t))
}
