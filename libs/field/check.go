package field

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"oms.internal/libs/email"
)

// Check examines a text.
type Check struct {
	// Refuse returns "" or the message that refuses the text.
	Refuse func(text string) string
	// NotText is the message for a value that is no text. In DRF, a field that demands a form has one message for both
	// mistakes. "" leaves the usual message.
	NotText string
}

// MismatchMessage is what a text hears that does not have the form asked for.
const MismatchMessage = "This value does not match the required pattern."

// Length demands between least and most characters (Unicode code points), both included.
func Length(least, most int) Check {
	return Check{Refuse: func(text string) string {
		switch count := utf8.RuneCountInString(text); {
		case count < least:
			return fmt.Sprintf("Ensure this field has at least %d characters.", least)
		case count > most:
			return fmt.Sprintf("Ensure this field has no more than %d characters.", most)
		}
		return ""
	}}
}

// Pattern demands that the expression matches.
func Pattern(expression *regexp.Regexp) Check { return Form(expression.MatchString) }

// Form demands that matches holds.
func Form(matches func(text string) bool) Check { return form(matches, MismatchMessage) }

// Email demands an email address.
func Email() Check {
	return form(func(text string) bool {
		_, ok := email.Parse(text)
		return ok
	}, "Enter a valid email address.")
}

func form(matches func(text string) bool, message string) Check {
	return Check{NotText: message, Refuse: func(text string) string {
		if matches(text) {
			return ""
		}
		return message
	}}
}

var noNull = Check{Refuse: func(text string) string {
	if strings.ContainsRune(text, 0) {
		return "Null characters are not allowed."
	}
	return ""
}}
