package field_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/field"
)

func TestKeyTakesANumberOrItsDigits(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]uint64{
		`1`: 1, `"1"`: 1, `"007"`: 7, `9223372036854775807`: 9223372036854775807, `"9223372036854775807"`: 9223372036854775807,
	} {
		object := read(t, `{"a": `+value+`}`)
		require.Equal(t, &want, object.Key("a", field.Required), value)
		require.NoError(t, object.Err(), value)
	}
}

func TestKeyRefusesWithTheWordsOfDRF(t *testing.T) {
	t.Parallel()
	wrongType := func(kind string) string { return "Incorrect type. Expected pk value, received " + kind + "." }
	for body, want := range map[string]string{
		`{}`:                                     "This field is required.",
		`{"a": null}`:                            "This field may not be null.",
		`{"a": ""}`:                              "This field may not be null.", // DRF takes an empty text for null in relations
		`{"a": "abc"}`:                           wrongType("str"),
		`{"a": "1x"}`:                            wrongType("str"),
		`{"a": "-"}`:                             wrongType("str"),
		`{"a": "--1"}`:                           wrongType("str"),
		`{"a": "1.0"}`:                           wrongType("str"),
		`{"a": "1e3"}`:                           wrongType("str"),
		`{"a": "１"}`:                             wrongType("str"),
		`{"a": 1.5}`:                             wrongType("float"),
		`{"a": 1e3}`:                             wrongType("float"),
		`{"a": true}`:                            wrongType("bool"),
		`{"a": [1]}`:                             wrongType("list"),
		`{"a": {"id":1}}`:                        wrongType("dict"),
		`{"a": 0}`:                               `Invalid pk "0" - object does not exist.`,
		`{"a": -1}`:                              `Invalid pk "-1" - object does not exist.`,
		`{"a": "-1"}`:                            `Invalid pk "-1" - object does not exist.`,
		`{"a": 9223372036854775808}`:             `Invalid pk "9223372036854775808" - object does not exist.`,
		`{"a": 99999999999999999999999999999}`:   `Invalid pk "99999999999999999999999999999" - object does not exist.`,
		`{"a": "99999999999999999999999999999"}`: `Invalid pk "99999999999999999999999999999" - object does not exist.`,
	} {
		require.Equal(t, []string{want}, problems(t, body, func(object *field.Object) {
			require.Nil(t, object.Key("a", field.Required), body)
		}), body)
	}
}

func TestAnOptionalKeyMayBeAbsent(t *testing.T) {
	t.Parallel()
	object := read(t, `{}`)
	require.Nil(t, object.Key("a", field.Optional))
	require.NoError(t, object.Err())
}
