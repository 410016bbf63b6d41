package account

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The rules of a member's fields, those of drf-oms. Lengths are in characters (Unicode code points).
const (
	MaxEmail    = 100
	MinName     = 2
	MaxName     = 20
	MinNickname = 2
	MaxNickname = 30
	MinPhone    = 7
	MaxPhone    = 20
	MinPassword = 10
	// MaxPassword has no equal in drf-oms. It bounds the work of hashing; NIST SP 800-63B asks for at least 64.
	MaxPassword = 128
)

// The forms of a member's fields.
var (
	NamePattern     = regexp.MustCompile(`^[a-zA-Z가-힣]+$`)
	NicknamePattern = regexp.MustCompile(`^[a-z]+$`)
	PhonePattern    = regexp.MustCompile(`^[0-9]+$`)
)

// Genders are the values of Member.Gender besides "".
func Genders() []string { return []string{"M", "F"} }

// NormalPassword returns the form in which a password is checked and hashed, so that it is the same password whatever keyboard
// typed it: the mapping of RFC 8265's OpaqueString, which makes every blank a space and composes characters (NFC). Nothing that
// the profile forbids is refused, because drf-oms took it.
func NormalPassword(password string) string {
	return norm.NFC.String(strings.Map(func(char rune) rune {
		if unicode.Is(unicode.Zs, char) {
			return ' '
		}
		return char
	}, password))
}

// CheckPassword returns an error that says what a new password needs, if it lacks any of that.
func CheckPassword(password string) error {
	normal := NormalPassword(password)
	if count := utf8.RuneCountInString(normal); MinPassword <= count && count <= MaxPassword && IsStrongPassword(normal) {
		return nil
	}
	return fmt.Errorf("the password needs %d to %d characters, among them a digit, a lower-case and an upper-case letter, "+
		"and one that is neither letter, digit nor underscore", MinPassword, MaxPassword)
}

// IsStrongPassword reports whether a password holds a digit, a lower-case and an upper-case ASCII letter, and a
// character that is neither letter, digit nor underscore.
func IsStrongPassword(password string) bool {
	var digit, lower, upper, other bool
	for _, char := range password {
		switch {
		case 'a' <= char && char <= 'z':
			lower = true
		case 'A' <= char && char <= 'Z':
			upper = true
		case unicode.IsDigit(char):
			digit = true
		case !unicode.IsLetter(char) && !unicode.IsNumber(char) && char != '_':
			other = true
		}
	}
	return digit && lower && upper && other
}
