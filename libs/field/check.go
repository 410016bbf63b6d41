package field

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Check examines a text and returns "" or the message that refuses it.
type Check func(text string) string

// MismatchMessage is what a text hears that does not have the form asked for.
const MismatchMessage = "This value does not match the required pattern."

// Length demands between least and most characters (Unicode code points), both included.
func Length(least, most int) Check {
	return func(text string) string {
		switch count := utf8.RuneCountInString(text); {
		case count < least:
			return fmt.Sprintf("Ensure this field has at least %d characters.", least)
		case count > most:
			return fmt.Sprintf("Ensure this field has no more than %d characters.", most)
		}
		return ""
	}
}

// Pattern demands that the expression matches.
func Pattern(expression *regexp.Regexp) Check { return Form(expression.MatchString) }

// Form demands that matches holds.
func Form(matches func(text string) bool) Check {
	return func(text string) string {
		if matches(text) {
			return ""
		}
		return MismatchMessage
	}
}

func noNull(text string) string {
	if strings.ContainsRune(text, 0) {
		return "Null characters are not allowed."
	}
	return ""
}

// The forms that Django's EmailValidator accepts (django.core.validators, 3.2): a dot-atom or a quoted string, then a
// host name with at least one dot, localhost, or an IP address in brackets.
var (
	emailAtoms  = regexp.MustCompile("(?i)^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*$")
	emailQuoted = regexp.MustCompile(`^"([\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"$`)
	emailDomain = regexp.MustCompile(`(?i)^([A-Z0-9]([A-Z0-9-]{0,61}[A-Z0-9])?\.)+([A-Z0-9-]{1,62}[A-Z0-9])$`)
)

// Email demands an email address.
func Email(text string) string {
	const message = "Enter a valid email address."
	at := strings.LastIndexByte(text, '@')
	if at < 1 {
		return message
	}
	user, domain := text[:at], text[at+1:]
	if !emailAtoms.MatchString(user) && !emailQuoted.MatchString(user) {
		return message
	}
	if domain == "localhost" || emailDomain.MatchString(domain) || isAddressLiteral(domain) {
		return ""
	}
	if ascii, err := idna.Punycode.ToASCII(domain); err == nil && emailDomain.MatchString(ascii) {
		return ""
	}
	return message
}

func isAddressLiteral(domain string) bool {
	inner, open := strings.CutPrefix(domain, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	address, err := netip.ParseAddr(inner)
	return open && closed && err == nil && address.Zone() == ""
}
