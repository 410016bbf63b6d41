package field

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/fault"
)

const nullMessage = "This field may not be null."

// Err returns the fault Invalid with all messages collected so far, or nil.
func (o *Object) Err() error {
	if len(o.problems) == 0 {
		return nil
	}
	return fault.NewInvalid(o.problems)
}

// Refuse adds a message for a field.
func (o *Object) Refuse(name, message string) {
	o.problems[name] = append(o.problems[name], message)
}

// Text reads a text that passes all checks, in Unicode's normal form C: canonically equal texts are one text. White space
// around it is cut off, and a text that then shows nothing is blank. Text returns nil where the field is absent or refused.
func (o *Object) Text(name string, presence Presence, checks ...Check) *string {
	return o.text(name, presence, norm.NFC.String, checks)
}

// RawText reads a text as Text does, but in the form in which it was sent.
func (o *Object) RawText(name string, presence Presence, checks ...Check) *string {
	return o.text(name, presence, func(text string) string { return text }, checks)
}

func (o *Object) text(name string, presence Presence, normal func(string) string, checks []Check) *string {
	value, ok := o.value(name, presence)
	if !ok {
		return nil
	}
	text, ok := asText(value)
	if !ok {
		o.Refuse(name, notText(checks))
		return nil
	}
	text = normal(strings.TrimSpace(text))
	if !visible(text) {
		o.Refuse(name, "This field may not be blank.")
		return nil
	}
	for _, check := range slices.Concat(checks, []Check{noNull}) {
		if message := check.Refuse(text); message != "" {
			o.Refuse(name, message)
		}
	}
	if len(o.problems[name]) > 0 {
		return nil
	}
	return &text
}

func notText(checks []Check) string {
	for _, check := range checks {
		if check.NotText != "" {
			return check.NotText
		}
	}
	return "Not a valid string."
}

// Choice reads one of the choices; null and "" stand for none of them and give a pointer to "". It returns nil where
// the field is absent or refused.
func (o *Object) Choice(name string, choices ...string) *string {
	value, ok := o.values[name]
	if !ok {
		return nil
	}
	if typeName(value) == "NoneType" {
		return new("")
	}
	text, ok := asText(value)
	if !ok {
		text = pythonText(value)
	}
	if text != "" && !slices.Contains(choices, text) {
		o.Refuse(name, fmt.Sprintf(`"%s" is not a valid choice.`, text))
		return nil
	}
	return &text
}

// Flag reads true or false, as JSON or as one of the words that DRF takes for them. It returns nil where the field is absent
// or refused.
func (o *Object) Flag(name string, presence Presence) *bool {
	value, ok := o.value(name, presence)
	if !ok {
		return nil
	}
	text, ok := asText(value)
	if !ok {
		text = pythonText(value)
	}
	switch strings.ToLower(text) {
	case "true", "t", "yes", "y", "on", "1":
		return new(true)
	case "false", "f", "no", "n", "off", "0":
		return new(false)
	}
	o.Refuse(name, "Must be a valid boolean.")
	return nil
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// Key reads the id of another row, as a number or as its digits. It returns nil where the field is absent or refused.
func (o *Object) Key(name string, presence Presence) *uint64 {
	value, ok := o.value(name, presence)
	if !ok {
		return nil
	}
	kind := typeName(value)
	text, isText := asText(value)
	switch {
	case isText && text == "":
		o.Refuse(name, nullMessage) // DRF takes an empty text for null where a row is meant
		return nil
	case !isText || !wholeNumber.MatchString(text):
		o.Refuse(name, fmt.Sprintf("Incorrect type. Expected pk value, received %s.", kind))
		return nil
	}
	id, err := strconv.ParseUint(text, 10, 63)
	if err != nil || id == 0 {
		o.Refuse(name, fmt.Sprintf(`Invalid pk "%s" - object does not exist.`, text))
		return nil
	}
	return &id
}

func (o *Object) value(name string, presence Presence) (json.RawMessage, bool) {
	value, present := o.values[name]
	switch {
	case !present && presence == Required:
		o.Refuse(name, "This field is required.")
	case present && typeName(value) == "NoneType":
		o.Refuse(name, nullMessage)
		return nil, false
	}
	return value, present
}

// asText returns a JSON string's content or a JSON number as it was written.
func asText(value json.RawMessage) (string, bool) {
	var text string
	switch typeName(value) {
	case "str":
		err := json.Unmarshal(value, &text)
		return text, err == nil
	case "int", "float":
		return string(value), true
	}
	return "", false
}
