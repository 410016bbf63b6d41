package pages

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	api "oms.internal/gateway"
)

func TestTheDescriptionIsTheSameAsJSONAndAsYAML(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	response, text := pages.ask(t, http.MethodGet, "/swagger.yaml")
	require.Equal(t, "application/yaml", response.Header.Get("Content-Type"))
	require.Equal(t, string(api.Description), text)
	var fromYAML map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &fromYAML))
	wanted, err := json.Marshal(fromYAML)
	require.NoError(t, err)
	for _, path := range []string{"/swagger.json", "/openapi.json"} {
		response, text := pages.ask(t, http.MethodGet, path)
		require.Equal(t, "application/json", response.Header.Get("Content-Type"))
		require.JSONEq(t, string(wanted), text)
	}
}

// A server that named a host would send those who try the API behind another name, or behind a proxy, elsewhere. This one is relative to
// where the description was read.
func TestTheServerOfTheDescriptionIsTheHostAndThePrefixThatWereAsked(t *testing.T) {
	t.Parallel()
	var described struct {
		Servers []struct{ URL string }
	}
	require.NoError(t, yaml.Unmarshal(api.Description, &described))
	require.Len(t, described.Servers, 1)
	require.Contains(t, []string{".", "./"}, described.Servers[0].URL)
}

func TestYAMLBecomesJSONWithItsOrderAndItsTypes(t *testing.T) {
	t.Parallel()
	text, err := toJSON([]byte("b: {x: 1}\na: &a [true, null, 1.5, -2, 1e3, 0x10]\n201: text\n'200': *a\n" +
		"times: [2026-11-30, '2026-11-30', 2026-11-30T12:00:00Z]\nquoted: ['1', \"true\", 'null', ~, '']\n" +
		"marks: \"<a> & 'b' \\\" \\n 김\"\nnothing: {}\nnone: []\nlong: |\n  one\n  two\n"))
	require.NoError(t, err)
	require.JSONEq(t, `{"b":{"x":1},"a":[true,null,1.5,-2,1000,16],"201":"text","200":[true,null,1.5,-2,1000,16],
		"times":["2026-11-30","2026-11-30","2026-11-30T12:00:00Z"],"quoted":["1","true","null",null,""],
		"marks":"<a> & 'b' \" \n 김","nothing":{},"none":[],"long":"one\ntwo\n"}`, string(text))
	at := 0
	for _, name := range []string{"b", "a", "201", "200", "times", "quoted", "marks", "nothing", "none", "long"} {
		next := strings.Index(string(text), `"`+name+`":`)
		require.GreaterOrEqual(t, next, at, name)
		at = next
	}
	require.Contains(t, string(text), `"<a> & 'b'`, "readable")
}

func TestWhatIsNoJSONIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a: .nan", "a: .inf", "a: &a {b: 1}\nc: {<<: *a}", "a: [b", "a: !!binary ///", "\t"} {
		_, err := toJSON([]byte(text))
		require.Error(t, err, "%q", text)
	}
}
