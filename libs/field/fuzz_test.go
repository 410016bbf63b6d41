package field_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/field"
)

var bodies = []string{
	``, `{`, `{}`, `null`, `[]`, `{"a": 1}`, `{"a": -1}`, `{"a": 1.5}`, `{"a": "M"}`, `{"a": " x\u0000"}`, `{"a": null}`,
	`{"a": {"a": []}}`, `{"a": "\ud83c\udf64"}`, `{"a": "\ud83c"}`, "{\"a\": \"\xff\"}", `{"a": 1e999}`,
	"a=1", "a=%00&a=+", "a=%ff", "a=%zz",
}

func FuzzParseAndReadersGiveTextThatCanBeStoredOrAFault(f *testing.F) {
	for _, body := range bodies {
		f.Add(jsonType, []byte(body))
		f.Add(formType, []byte(body))
	}
	f.Add("text/plain", []byte("x"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		object, err := field.Parse(contentType, body)
		if err != nil {
			code := fault.Of(err).Code
			require.Contains(t, []fault.Code{fault.Malformed, fault.Invalid, fault.UnsupportedMediaType}, code)
			return
		}
		requireConsistent(t, object, object.Text("a", field.Optional), func(text string) {
			require.NotEmpty(t, text)
			require.Equal(t, strings.TrimSpace(text), text)
			require.NotContains(t, text, "\x00")
			require.True(t, utf8.ValidString(text))
		})
		object, err = field.Parse(contentType, body)
		require.NoError(t, err, "the same body reads the same")
		requireConsistent(t, object, object.Choice("a", "M", "F"), func(choice string) {
			require.Contains(t, []string{"", "M", "F"}, choice)
		})
		object, err = field.Parse(contentType, body)
		require.NoError(t, err, "the same body reads the same")
		requireConsistent(t, object, object.Key("a", field.Optional), func(id uint64) {
			require.True(t, 0 < id && id < 1<<63)
		})
	})
}

// requireConsistent demands a value that passes check, or else that an error, if any, has one or more messages.
func requireConsistent[T any](t *testing.T, object *field.Object, value *T, check func(T)) {
	t.Helper()
	err := object.Err()
	if value != nil {
		require.NoError(t, err)
		check(*value)
		return
	}
	if err != nil {
		require.Equal(t, fault.Invalid, fault.Of(err).Code)
		require.NotEmpty(t, fault.Of(err).Fields["a"])
		for _, message := range fault.Of(err).Fields["a"] {
			require.True(t, utf8.ValidString(message))
		}
	}
}
