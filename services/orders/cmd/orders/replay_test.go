package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorded is an exchange with the real drf-oms; testdata/drf-oms.json is a copy of the project's recordings.
type recorded struct {
	Name     string            `json:"name"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
	JSON     map[string]any    `json:"json"`
	Deviates string            `json:"deviates"`
	Answer   struct {
		Status int `json:"status"`
		Body   any `json:"body"`
	} `json:"answer"`
}

// deviations are the cases where this project answers something else than drf-oms, by name.
var deviations = map[string]func(*testing.T, answer){
	"order duplicate number": func(t *testing.T, a answer) {
		t.Helper()
		a.requireField(t, "order_number", "order with this order number already exists.")
	},
	"order nulls": func(t *testing.T, a answer) {
		t.Helper()
		a.requireProblem(t, http.StatusBadRequest)
		for _, name := range []string{"customer", "order_number", "product_name"} {
			require.Equal(t, []any{"This field may not be null."}, a.body[name])
		}
	},
	"order for someone else": func(t *testing.T, a answer) {
		t.Helper()
		a.requireProblem(t, http.StatusForbidden)
	},
}

func TestTheRecordedExchangesWithDRFOMSReplay(t *testing.T) {
	t.Parallel()
	p := start(t)
	replacer := strings.NewReplacer("{A.id}", fmt.Sprint(alice), "{B.id}", fmt.Sprint(bob), "{num}", "20261123")
	callers := map[string]caller{"Token {A}": p.as(t, alice), "Token {B}": p.as(t, bob)}
	replayed, deviated := 0, 0
	for _, exchange := range recordings(t) {
		// Whether a session lives is the gateway's to know.
		from, ok := callers[exchange.Headers["Authorization"]]
		if !ok || !strings.HasPrefix(exchange.Path, "/orders") {
			continue
		}
		replayed++
		t.Run(exchange.Name, func(t *testing.T) {
			sent := message{method: exchange.Method, path: replacer.Replace(exchange.Path)}
			if exchange.JSON != nil {
				sent.contentType, sent.body = "application/json", body(t, exchange.JSON, replacer)
			}
			before := p.orders(t)
			got := from.send(t, sent)
			if exchange.Deviates != "" {
				require.Contains(t, deviations, exchange.Name)
				deviations[exchange.Name](t, got)
				require.Equal(t, before, p.orders(t))
				deviated++
				return
			}
			require.Equal(t, exchange.Answer.Status, got.status, got.text)
			requireHolds(t, exchange.Answer.Body, got.body, replacer)
		})
	}
	require.Equal(t, 19, replayed)
	require.Len(t, deviations, deviated)
}

func recordings(t *testing.T) []recorded {
	t.Helper()
	content, err := os.ReadFile("testdata/drf-oms.json")
	require.NoError(t, err)
	var file struct {
		Cases []recorded `json:"cases"`
	}
	decoder := json.NewDecoder(strings.NewReader(string(content)))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&file))
	return file.Cases
}

// body fills the placeholders in; a value that is nothing but an id is sent as a number.
func body(t *testing.T, values map[string]any, replacer *strings.Replacer) string {
	t.Helper()
	filled := map[string]any{}
	for name, value := range values {
		filled[name] = value
		if text, ok := value.(string); ok {
			filled[name] = replacer.Replace(text)
			if strings.HasSuffix(text, ".id}") {
				filled[name] = json.Number(replacer.Replace(text))
			}
		}
	}
	encoded, err := json.Marshal(filled)
	require.NoError(t, err)
	return string(encoded)
}

var seoulTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+09:00$`)

// requireHolds demands that got has all that want has. Objects may have more members, lists not.
func requireHolds(t *testing.T, want, got any, replacer *strings.Replacer) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		require.True(t, ok, "%v", got)
		for name, value := range want {
			require.Contains(t, object, name)
			if text, isText := object[name].(string); isText && (name == "next" || name == "previous") {
				object[name] = relative(t, text)
			}
			requireHolds(t, value, object[name], replacer)
		}
	case []any:
		list, ok := got.([]any)
		require.True(t, ok, "%v", got)
		require.Len(t, list, len(want))
		for i, value := range want {
			requireHolds(t, value, list[i], replacer)
		}
	case string:
		requireText(t, want, got, replacer)
	default:
		require.Equal(t, want, got)
	}
}

func requireText(t *testing.T, want string, got any, replacer *strings.Replacer) {
	t.Helper()
	switch want {
	case "$A":
		require.Equal(t, json.Number(fmt.Sprint(alice)), got)
	case "$B":
		require.Equal(t, json.Number(fmt.Sprint(bob)), got)
	case "$seoul-time":
		require.Regexp(t, seoulTime, got)
	default:
		require.Equal(t, replacer.Replace(want), got)
	}
}

// relative returns a link without scheme and host and with its parameters sorted.
func relative(t *testing.T, link string) string {
	t.Helper()
	parsed, err := url.Parse(link)
	require.NoError(t, err)
	require.True(t, parsed.IsAbs(), link)
	return parsed.Path + "?" + parsed.Query().Encode()
}
