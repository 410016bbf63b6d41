package field_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/field"
)

var digits = regexp.MustCompile(`^[0-9]+$`)

// problems are the messages for the field "a" of body after a reader has looked at it.
func problems(t *testing.T, body string, look func(*field.Object)) []string {
	t.Helper()
	object := read(t, body)
	look(object)
	if object.Err() == nil {
		return nil
	}
	failure := fault.Of(object.Err())
	require.Equal(t, fault.Invalid, failure.Code)
	require.Len(t, failure.Fields, 1)
	return failure.Fields["a"]
}

func TestTextRefusesWithTheWordsOfDRF(t *testing.T) {
	t.Parallel()
	const pattern = "This value does not match the required pattern."
	for body, want := range map[string][]string{
		`{}`:                   {"This field is required."},
		`{"A": "1234567"}`:     {"This field is required."},
		`{"a": null}`:          {"This field may not be null."},
		`{"a": ""}`:            {"This field may not be blank."},
		`{"a": " \t\n\u3000"}`: {"This field may not be blank."},
		`{"a": true}`:          {pattern},
		`{"a": []}`:            {pattern},
		`{"a": {"b": 1}}`:      {pattern},
		`{"a": "12a4567"}`:     {pattern},
		`{"a": "123"}`:         {"Ensure this field has at least 7 characters."},
		`{"a": "12ab"}`:        {"Ensure this field has at least 7 characters.", pattern},
		`{"a": "` + strings.Repeat("1", 21) + `"}`: {"Ensure this field has no more than 20 characters."},
		`{"a": "` + strings.Repeat("가", 21) + `"}`: {"Ensure this field has no more than 20 characters.", pattern},
		`{"a": "1234567\u0000"}`:                   {pattern, "Null characters are not allowed."},
	} {
		require.Equal(t, want, problems(t, body, func(object *field.Object) {
			require.Nil(t, object.Text("a", field.Required, field.Length(7, 20), field.Pattern(digits)), body)
		}), body)
	}
}

func TestAValueThatIsNoTextHearsTheMessageOfTheFieldsForm(t *testing.T) {
	t.Parallel()
	for message, checks := range map[string][]field.Check{
		"Not a valid string.":                             {field.Length(1, 9)},
		"Enter a valid email address.":                    {field.Length(1, 9), field.Email()},
		"This value does not match the required pattern.": {field.Form(func(string) bool { return true })},
	} {
		for _, value := range []string{`[]`, `{}`, `true`, `["a@x.test"]`} {
			require.Equal(t, []string{message}, problems(t, `{"a": `+value+`}`, func(object *field.Object) {
				require.Nil(t, object.Text("a", field.Required, checks...))
			}), value)
		}
	}
}

func TestCanonicallyEqualTextsAreOneText(t *testing.T) {
	t.Parallel()
	for nfd, nfc := range map[string]string{
		"\u1101\u1169\u11be\u1103\u1161\u1107\u1161\u11af": "꽃다발",
		"bu\u0308cher": "b\u00fccher",
		"\u212b":       "\u00c5",
	} {
		object := read(t, `{"a": "`+nfd+`"}`)
		require.Equal(t, &nfc, object.Text("a", field.Required))
		require.Equal(t, &nfd, object.RawText("a", field.Required), "as it was sent")
	}
}

func TestLengthsAreThoseOfTheNormalForm(t *testing.T) {
	t.Parallel()
	require.Equal(t, new("한"), read(t, `{"a": "\u1112\u1161\u11ab"}`).Text("a", field.Required, field.Length(1, 1)))
}

func TestTextIsTrimmedAndNumbersAreTakenAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`"김선기"`:                          "김선기",
		`" \u00a0a b\r\n"`:               "a b",
		`"꼬막무침 🍤"`:                       "꼬막무침 🍤",
		`"\ud83c\udf64"`:                 "🍤",
		`"\u003c\/\\\""`:                 `</\"`,
		`"null"`:                         "null",
		`1083574364`:                     "1083574364",
		`-7`:                             "-7",
		`1.50`:                           "1.50",
		`123456789012345678901234567890`: "123456789012345678901234567890",
	} {
		object := read(t, `{"a": `+value+`}`)
		require.Equal(t, &want, object.Text("a", field.Required), value)
		require.NoError(t, object.Err(), value)
	}
}

func TestAnOptionalTextMayBeAbsentAndNothingElse(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{}`:          nil,
		`{"a": null}`: {"This field may not be null."},
		`{"a": ""}`:   {"This field may not be blank."},
		`{"a": "x"}`:  {"This value does not match the required pattern."},
	} {
		require.Equal(t, want, problems(t, body, func(object *field.Object) {
			require.Nil(t, object.Text("a", field.Optional, field.Pattern(digits)), body)
		}), body)
	}
}

func TestLengthsCountCharactersAndIncludeBothBounds(t *testing.T) {
	t.Parallel()
	const short, long = "Ensure this field has at least 2 characters.", "Ensure this field has no more than 3 characters."
	for text, want := range map[string]string{"🍤": short, "가나": "", "가나🍤": "", "abcd": long, "": short} {
		require.Equal(t, want, field.Length(2, 3).Refuse(text), text)
	}
}

func TestTheLastOfRepeatedMembersCounts(t *testing.T) {
	t.Parallel()
	require.Equal(t, new("2"), read(t, `{"a": "1", "a": "2"}`).Text("a", field.Required))
}

func TestAllMistakesOfAnInputComeTogether(t *testing.T) {
	t.Parallel()
	object := read(t, `{"email": "x", "gender": "Z", "customer": "abc"}`)
	object.Text("email", field.Required, field.Email())
	object.Text("name", field.Required)
	object.Choice("gender", "M", "F")
	object.Key("customer", field.Required)
	object.Refuse(field.WholeInput, "No.")
	object.Refuse("email", "Taken.")
	require.Equal(t, map[string][]string{
		"email":            {"Enter a valid email address.", "Taken."},
		"name":             {"This field is required."},
		"gender":           {`"Z" is not a valid choice.`},
		"customer":         {"Incorrect type. Expected pk value, received str."},
		"non_field_errors": {"No."},
	}, fault.Of(object.Err()).Fields)
}

func TestChecksGivenAsASliceAreNotWrittenTo(t *testing.T) {
	t.Parallel()
	roomy := make([]field.Check, 1, 2)
	roomy[0] = field.Length(1, 9)
	require.NotNil(t, read(t, `{"a": "x"}`).Text("a", field.Required, roomy...))
	require.Nil(t, roomy[:2][1].Refuse, "two requests that share the slice would race")
}
