package field_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/field"
)

func TestChoiceTakesNullAndBlankForNone(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]*string{
		`{}`:          nil,
		`{"a": null}`: new(""),
		`{"a": ""}`:   new(""),
		`{"a": "M"}`:  new("M"),
		`{"a": "F"}`:  new("F"),
	} {
		object := read(t, body)
		require.Equal(t, want, object.Choice("a", "M", "F"), body)
		require.NoError(t, object.Err(), body)
	}
}

func TestChoiceRefusesEverythingElse(t *testing.T) {
	t.Parallel()
	for value, shown := range map[string]string{
		`"Z"`: "Z", `"m"`: "m", `" M"`: " M", `"M\u0000"`: "M\x00", `7`: "7", `"\ud55c"`: "한",
		`["M"]`: `["M"]`, `true`: "true", `"null"`: "null",
	} {
		require.Equal(t, []string{`"` + shown + `" is not a valid choice.`}, problems(t, `{"a": `+value+`}`, func(object *field.Object) {
			require.Nil(t, object.Choice("a", "M", "F"), value)
		}), value)
	}
}
