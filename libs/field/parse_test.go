package field_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/field"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// read parses body as JSON, which must work.
func read(t *testing.T, body string) *field.Object {
	t.Helper()
	object, err := field.Parse(jsonType, []byte(body))
	require.NoError(t, err, body)
	return object
}

func TestAnEmptyBodyIsAnObjectWithoutFieldsWhateverItsType(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"", jsonType, formType, "text/plain"} {
		object, err := field.Parse(contentType, nil)
		require.NoError(t, err, contentType)
		require.Nil(t, object.Text("email", field.Required))
		require.Equal(t, map[string][]string{"email": {"This field is required."}}, fault.Of(object.Err()).Fields)
	}
}

func TestTheMediaTypeDecidesAndItsParametersDoNot(t *testing.T) {
	t.Parallel()
	for contentType, body := range map[string]string{
		jsonType:                                       `{"name": "김"}`,
		"application/json; charset=utf-8":              `{"name": "김"}`,
		"Application/JSON;charset=UTF-8":               `{"name": "김"}`,
		"application/json; charset=":                   `{"name": "김"}`,
		"application/json;":                            `{"name": "김"}`,
		" application/json ; ;":                        `{"name": "김"}`,
		"application/json; charset":                    `{"name": "김"}`,
		"application/json; =utf-8":                     `{"name": "김"}`,
		"application/json; charset=\"x":                `{"name": "김"}`,
		"application/json; a=1; a=2":                   `{"name": "김"}`,
		"application/json; charset=a/b":                `{"name": "김"}`,
		"APPLICATION/JSON; Ä=Ö":                        `{"name": "김"}`,
		"application/x-www-form-urlencoded;":           "name=%EA%B9%80",
		formType:                                       "name=%EA%B9%80",
		"application/x-www-form-urlencoded; charset=x": "name=%EA%B9%80",
	} {
		object, err := field.Parse(contentType, []byte(body))
		require.NoError(t, err, contentType)
		require.Equal(t, new("김"), object.Text("name", field.Required), contentType)
		require.NoError(t, object.Err(), contentType)
	}
}

func TestOtherMediaTypesAreUnsupported(t *testing.T) {
	t.Parallel()
	for contentType, detail := range map[string]string{
		"text/plain":                  `Unsupported media type "text/plain" in request.`,
		"text/plain; charset=utf-8":   `Unsupported media type "text/plain" in request.`,
		"multipart/form-data":         `Unsupported media type "multipart/form-data" in request.`,
		"":                            `Unsupported media type "" in request.`,
		"json":                        `Unsupported media type "json" in request.`,
		";":                           `Unsupported media type "" in request.`,
		"; application/json":          `Unsupported media type "" in request.`,
		"application/json x":          `Unsupported media type "application/json x" in request.`,
		"application/json, text/html": `Unsupported media type "application/json, text/html" in request.`,
		"application /json":           `Unsupported media type "application /json" in request.`,
		"application/json-patch+json": `Unsupported media type "application/json-patch+json" in request.`,
	} {
		_, err := field.Parse(contentType, []byte("{}"))
		require.Equal(t, fault.UnsupportedMediaType, fault.Of(err).Code, contentType)
		require.Equal(t, detail, fault.Of(err).Detail, contentType)
	}
}

func TestABodyThatIsNotJSONIsMalformedAndSaysWhere(t *testing.T) {
	t.Parallel()
	for body, where := range map[string]string{
		`{bad`:                   "line 1 column 2 (char 1)",
		`x`:                      "line 1 column 1 (char 0)",
		"{\n  \"a\": 1,\n  bad}": "line 3 column 3 (char 14)",
		`{"이름": "김", bad}`:       "line 1 column 13 (char 12)", // characters, not bytes
		`{"a": 1} {"b": 2}`:      "line 1 column 10 (char 9)",
		`{"a": NaN}`:             "line 1 column 7 (char 6)",
		`{"a": 01}`:              "line 1 column 8 (char 7)",
		`{'a': 1}`:               "line 1 column 2 (char 1)",
		"{\"a\": \"\n\"}":        "line 1 column 8 (char 7)",
		`{"a": 1,}`:              "line 1 column 9 (char 8)",
		"\xef\xbb\xbf{}":         "line 1 column 1 (char 0)", // a byte order mark
	} {
		_, err := field.Parse(jsonType, []byte(body))
		require.Equal(t, fault.Malformed, fault.Of(err).Code, "%q", body)
		require.Equal(t, "JSON parse error - unexpected input: "+where, fault.Of(err).Detail, "%q", body)
	}
}

func TestABodyThatIsCutOffIsMalformed(t *testing.T) {
	t.Parallel()
	const whole = `{"name": "김\ud83c\udf64", "n": [1.5e3, true, null]}`
	for length := 1; length < len(whole); length++ {
		_, err := field.Parse(jsonType, []byte(whole[:length]))
		require.Equal(t, fault.Malformed, fault.Of(err).Code, whole[:length])
		require.True(t, strings.HasPrefix(fault.Of(err).Detail, "JSON parse error - "))
	}
	read(t, whole)
}

func TestABodyMustBeAnObject(t *testing.T) {
	t.Parallel()
	for body, message := range map[string]string{
		`[]`:         "Invalid data. Expected a dictionary, but got list.",
		`[{"a": 1}]`: "Invalid data. Expected a dictionary, but got list.",
		`"text"`:     "Invalid data. Expected a dictionary, but got str.",
		`7`:          "Invalid data. Expected a dictionary, but got int.",
		`-7.5`:       "Invalid data. Expected a dictionary, but got float.",
		`1e3`:        "Invalid data. Expected a dictionary, but got float.",
		` true `:     "Invalid data. Expected a dictionary, but got bool.",
		`null`:       "No data provided",
		"\n null":    "No data provided",
	} {
		_, err := field.Parse(jsonType, []byte(body))
		require.Equal(t, fault.Invalid, fault.Of(err).Code, body)
		require.Equal(t, map[string][]string{"non_field_errors": {message}}, fault.Of(err).Fields, body)
	}
}

func TestTextThatNoColumnCouldHoldIsMalformed(t *testing.T) {
	t.Parallel()
	for body, detail := range map[string]string{
		"{\"a\": \"\xff\"}":         "JSON parse error - the body is not valid UTF-8",
		"{\"\xc3\x28\": 1}":         "JSON parse error - the body is not valid UTF-8",
		"{\"a\": \"\xed\xa0\x80\"}": "JSON parse error - the body is not valid UTF-8", // a surrogate in UTF-8
		`{"a": "\ud800"}`:           "JSON parse error - a surrogate escape stands alone",
	} {
		_, err := field.Parse(jsonType, []byte(body))
		require.Equal(t, fault.Malformed, fault.Of(err).Code, "%q", body)
		require.Equal(t, detail, fault.Of(err).Detail, "%q", body)
	}
}

func TestFormsAreReadAsTexts(t *testing.T) {
	t.Parallel()
	object, err := field.Parse(formType, []byte("name=a+b%26&phone=0100&phone=0212345&customer=7&gender=&note=%22%5Cu0041&password=Abc;def=1"))
	require.NoError(t, err)
	require.Equal(t, new("a b&"), object.Text("name", field.Required))
	require.Equal(t, new("0212345"), object.Text("phone", field.Required), "the last one counts, as in Django")
	require.Equal(t, new(uint64(7)), object.Key("customer", field.Required))
	require.Equal(t, new(""), object.Choice("gender", "M", "F"))
	require.Equal(t, new(`"\u0041`), object.Text("note", field.Required))
	require.Equal(t, new("Abc;def=1"), object.Text("password", field.Required), "& alone separates, as in Django")
	require.NoError(t, object.Err())
}

func TestFormsThatCannotBeReadAreMalformed(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"a=%zz", "a=%", "a=%ff", "%ff=a", "a=1&b=\xff"} {
		_, err := field.Parse(formType, []byte(body))
		require.Equal(t, fault.Malformed, fault.Of(err).Code, body)
		require.True(t, strings.HasPrefix(fault.Of(err).Detail, "Form parse error"), body)
	}
}
