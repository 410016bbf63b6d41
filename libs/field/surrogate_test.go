package field_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/field"
)

func TestSurrogatesMustComeInPairsWhereverTheyStand(t *testing.T) {
	t.Parallel()
	for body, accepted := range map[string]bool{
		`{"a": "\ud83c\udf64"}`:             true,
		`{"a": "\uD83C\uDF64"}`:             true,
		`{"a": "\ud83c\udf64\ud83c\udf64"}`: true,
		`{"a": "\\ud83c"}`:                  true, // a backslash, then letters
		`{"a": "\\\\ud83c", "b": "\\\"u"}`:  true,
		`{"a": "\ud7ff\ue000\ufffd"}`:       true, // the neighbours of the surrogates
		`{"a": "\ud83c"}`:                   false,
		`{"a": "\udf64"}`:                   false,
		`{"a": "\udf64\ud83c"}`:             false,
		`{"a": "\ud83c\ud83c\udf64"}`:       false,
		`{"a": "\ud83c\udf64\udf64"}`:       false,
		`{"a": "\ud83c \udf64"}`:            false,
		`{"a": "\ud83c\\udf64"}`:            false,
		`{"a": "\\\ud83c"}`:                 false,
		`{"a": "\ud83c\n\udf64"}`:           false,
		`{"\ud83c": 1}`:                     false,
		`{"a": [{"b": "\udfff"}]}`:          false,
	} {
		_, err := field.Parse(jsonType, []byte(body))
		require.Equal(t, accepted, err == nil, body)
		require.True(t, accepted || fault.Is(err, fault.Malformed), body)
	}
}

// FuzzLoneSurrogatesAreFound compares with an oracle: the string is decoded to UTF-16 here, and utf16.Decode replaces
// exactly the units that stand alone.
func FuzzLoneSurrogatesAreFound(f *testing.F) {
	for _, content := range []string{
		``, `\ud83c\udf64`, `\ud83c`, `\udf64\ud83c`, `\\ud83c`, `\\\ud83c`, `\ud83c\\udf64`, `\ud83c\n\udf64`, `🍤\ud800`, `\ufffd`,
		`\uD83c\uDf64\uDF64`, `\"\/\b\f\n\r\t`,
	} {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		requireSurrogatesFound(t, content)
		// The same letters as escapes of units among which most are surrogates: mutation alone rarely makes them.
		var escapes strings.Builder
		for _, char := range []byte(content) {
			fmt.Fprintf(&escapes, `\u%04x`, 0xD780+int(char)*8)
		}
		requireSurrogatesFound(t, escapes.String())
	})
}

func requireSurrogatesFound(t *testing.T, content string) {
	t.Helper()
	body := []byte(`{"a": "` + content + `"}`)
	if !json.Valid(body) || !utf8.Valid(body) {
		return
	}
	units := decodeUnits(t, content)
	if units == nil {
		return
	}
	paired := count(units, 0xFFFD) == count(utf16.Decode(units), utf8.RuneError)
	_, err := field.Parse(jsonType, body)
	require.Equal(t, paired, err == nil, "%q: %v", content, err)
}

// decodeUnits decodes the content of one JSON string to UTF-16; nil where it holds an end of the string.
func decodeUnits(t *testing.T, content string) []uint16 {
	t.Helper()
	units := []uint16{}
	for content != "" {
		switch {
		case content[0] == '"':
			return nil
		case strings.HasPrefix(content, `\u`):
			unit, err := strconv.ParseUint(content[2:6], 16, 16)
			require.NoError(t, err)
			units, content = append(units, uint16(unit)), content[6:]
		case content[0] == '\\':
			units, content = append(units, '?'), content[2:]
		default:
			char, size := utf8.DecodeRuneInString(content)
			units, content = utf16.AppendRune(units, char), content[size:]
		}
	}
	return units
}

func count[T comparable](all []T, wanted T) int {
	return len(all) - len(slices.DeleteFunc(slices.Clone(all), func(one T) bool { return one == wanted }))
}
