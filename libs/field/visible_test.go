package field_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/field"
)

func quoted(t *testing.T, text string) string {
	t.Helper()
	encoded, err := json.Marshal(map[string]string{"a": text})
	require.NoError(t, err)
	return string(encoded)
}

func TestATextThatLooksEmptyIsBlank(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"\u200b", "\u3164", "\u115f\u1160\uffa0", "\u200c\u200d\u2060\ufeff", "\u00ad", "\u034f", "\u061c", "\u180e", "\u180b",
		"\u17b4\u17b5", "\ufe0f", "\U000e0100", "\U000e0041\U000e007f", "\u2065", "\ufff0", "\u2800", "\U0001d159", "\U0001d173",
		"\u202e\u202c", "\u2066\u2069", "\u206a", "\ufff9\ufffb", "\u0001\u001f\u007f\u0085", "\u2028\u2029", "\u00a0", "\u3000",
		" \u200b \u3164\t\u2800\ufe0f ", "\U00016fe4",
	} {
		for name, look := range map[string]func(*field.Object) *string{
			"Text":    func(object *field.Object) *string { return object.Text("a", field.Required) },
			"RawText": func(object *field.Object) *string { return object.RawText("a", field.Optional, field.Length(1, 100)) },
		} {
			require.Equal(t, []string{"This field may not be blank."}, problems(t, quoted(t, text), func(object *field.Object) {
				require.Nil(t, look(object))
			}), "%s of %+q", name, text)
		}
	}
}

func TestATextThatShowsSomethingStaysAsItIs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"꽃다발", "👩‍👩‍👧", "❤️", "1️⃣", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "می\u200cخواهم", "क्\u200dष", "a\u200bb", "\u200bx",
		"\u0600", "\u06dd", "\u0301", ".", "\u3164x", "\ue000", "\ufffd",
	} {
		require.Equal(t, &text, read(t, quoted(t, text)).Text("a", field.Required), "%+q", text)
	}
}
