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
		`["M"]`: "['M']", `true`: "True", `"null"`: "null", `[]`: "[]", `{"a": [1, null, "it's"]}`: `{'a': [1, None, 'it\'s']}`,
	} {
		require.Equal(t, []string{`"` + shown + `" is not a valid choice.`}, problems(t, `{"a": `+value+`}`, func(object *field.Object) {
			require.Nil(t, object.Choice("a", "M", "F"), value)
		}), value)
	}
}

func TestFlagsAreReadAsDRFReadsThem(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		`true`: true, `"true"`: true, `"True"`: true, `1`: true, `"1"`: true, `"on"`: true, `"yes"`: true,
		`false`: false, `"False"`: false, `0`: false, `"off"`: false, `"n"`: false,
	} {
		object := read(t, `{"a": `+value+`}`)
		require.Equal(t, &want, object.Flag("a", field.Optional), value)
		require.NoError(t, object.Err(), value)
	}
	for value, message := range map[string]string{
		`null`: "This field may not be null.", `""`: "Must be a valid boolean.", `"maybe"`: "Must be a valid boolean.",
		`2`: "Must be a valid boolean.", `[]`: "Must be a valid boolean.", `{"a": true}`: "Must be a valid boolean.",
	} {
		require.Equal(t, []string{message}, problems(t, `{"a": `+value+`}`, func(object *field.Object) {
			require.Nil(t, object.Flag("a", field.Optional), value)
		}), value)
	}
	require.Nil(t, read(t, `{}`).Flag("a", field.Optional))
}
