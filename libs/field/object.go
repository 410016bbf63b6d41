// Package field reads the body of a request field by field and collects one list of messages per field, with the rules
// and the wording of Django REST Framework's serializers, which clients of drf-oms read.
//
// A missing field, null, a value of another type and a blank text are four different mistakes there. Numbers are taken
// as text where text is asked for, and white space around a text is cut off.
package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"oms.internal/libs/fault"
)

// WholeInput is the key of messages that concern the input as a whole.
const WholeInput = "non_field_errors"

// Presence says what it means that a field is absent.
type Presence bool

// The presences: a Required field that is absent is a mistake, an Optional one is left alone.
const (
	Required Presence = true
	Optional Presence = false
)

// Object is the input of one request, and the mistakes found in it so far.
type Object struct {
	values   map[string]json.RawMessage
	problems map[string][]string
}

// Parse reads a body of type application/json (an object) or application/x-www-form-urlencoded. An empty body is an
// object without fields. It returns the fault UnsupportedMediaType, Malformed or Invalid.
func Parse(contentType string, body []byte) (*Object, error) {
	object := &Object{problems: map[string][]string{}}
	if len(body) == 0 {
		return object, nil
	}
	// The parameters say nothing that matters here, however they are written: both types are UTF-8.
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	var err error
	switch mediaType {
	case "application/json":
		object.values, err = parseJSON(body)
	case "application/x-www-form-urlencoded":
		object.values, err = parseForm(body)
	default:
		return nil, fault.New(fault.UnsupportedMediaType, fmt.Sprintf("Unsupported media type %q in request.", mediaType), nil)
	}
	return object, err
}

func parseJSON(body []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(body) {
		return nil, malformed("the body is not valid UTF-8")
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(body, &values); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, malformed(position(body, int(syntax.Offset)))
		}
		return nil, fault.InvalidField(WholeInput, "Invalid data. Expected a dictionary, but got "+typeName(body)+".")
	}
	if values == nil {
		return nil, fault.InvalidField(WholeInput, "No data provided")
	}
	if hasLoneSurrogate(body) {
		return nil, malformed("a surrogate escape stands alone")
	}
	return values, nil
}

func parseForm(body []byte) (map[string]json.RawMessage, error) {
	// As in Django '&' alone separates fields; url.ParseQuery refuses a ';' that is not escaped.
	form, err := url.ParseQuery(strings.ReplaceAll(string(body), ";", "%3B"))
	if err != nil {
		return nil, fault.New(fault.Malformed, "Form parse error.", err)
	}
	values := make(map[string]json.RawMessage, len(form))
	for name, texts := range form {
		last := texts[len(texts)-1]
		if !utf8.ValidString(name) || !utf8.ValidString(last) {
			return nil, fault.New(fault.Malformed, "Form parse error - the body is not valid UTF-8", nil)
		}
		quoted, err := json.Marshal(last)
		if err != nil {
			return nil, fmt.Errorf("quote form value: %w", err)
		}
		values[name] = quoted
	}
	return values, nil
}

func malformed(what string) error {
	return fault.New(fault.Malformed, "JSON parse error - "+what, nil)
}

// position says where the body stops being JSON. offset counts the bytes read, the offending one included.
func position(body []byte, offset int) string {
	read := body[:max(0, min(offset-1, len(body)))]
	line := 1 + bytes.Count(read, []byte("\n"))
	column := 1 + utf8.RuneCount(read[1+bytes.LastIndexByte(read, '\n'):])
	return fmt.Sprintf("unexpected input: line %d column %d (char %d)", line, column, utf8.RuneCount(read))
}

// hasLoneSurrogate finds \uD800–\uDFFF escapes without their other half. encoding/json replaces these silently, and
// what is stored would not be what was sent. The body must be valid JSON.
func hasLoneSurrogate(body []byte) bool {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++
		unit := escapedUnit(body[i-1:])
		switch {
		case isHighSurrogate(unit) && isLowSurrogate(escapedUnit(body[i+5:])):
			i += 10
		case isHighSurrogate(unit) || isLowSurrogate(unit):
			return true
		}
	}
	return false
}

// escapedUnit returns the UTF-16 code unit of a \uXXXX escape at the beginning of text, or -1.
func escapedUnit(text []byte) int {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return int(unit)
}

func isHighSurrogate(unit int) bool { return 0xD800 <= unit && unit <= 0xDBFF }
func isLowSurrogate(unit int) bool  { return 0xDC00 <= unit && unit <= 0xDFFF }

// typeName names the type of a JSON value as Python does, since DRF's messages hold these names.
func typeName(value json.RawMessage) string {
	text := strings.TrimLeft(string(value), " \t\r\n")
	switch {
	case strings.HasPrefix(text, `"`):
		return "str"
	case strings.HasPrefix(text, "["):
		return "list"
	case strings.HasPrefix(text, "{"):
		return "dict"
	case strings.HasPrefix(text, "t"), strings.HasPrefix(text, "f"):
		return "bool"
	case strings.HasPrefix(text, "n"):
		return "NoneType"
	case strings.ContainsAny(text, ".eE"):
		return "float"
	}
	return "int"
}
