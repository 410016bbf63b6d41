// Package email reads email addresses: it says which texts are addresses, and which addresses name the same mailbox.
//
// The local part follows Django's EmailValidator, as drf-oms does. The domain is a host name by UTS #46 and IDNA2008, or an
// IP address in brackets. The package imports nothing of this project.
package email

import (
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/runes"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// Address is a valid email address.
type Address struct {
	local  string // as it was written
	domain string // a host name of A-labels in lower case, or an IP address in brackets
}

// The forms of Django's EmailValidator (django.core.validators, 3.2), for ASCII only. Letters are listed in both cases,
// because (?i) also takes U+212A for a K and U+017F for an S.
var (
	atoms  = regexp.MustCompile("^[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+(\\.[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+)*$")
	quoted = regexp.MustCompile(`^"([\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"$`)
	host   = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z0-9-]{1,62}[A-Za-z0-9])$`)
)

// Parse reads an address; ok is false for a text that is none.
func Parse(text string) (address Address, ok bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 1 {
		return Address{}, false
	}
	address.local = text[:at]
	if !atoms.MatchString(address.local) && !quoted.MatchString(address.local) {
		return Address{}, false
	}
	address.domain, ok = parseDomain(text[at+1:])
	return address, ok
}

func parseDomain(text string) (domain string, ok bool) {
	switch {
	case text == "localhost":
		return text, true
	case strings.HasPrefix(text, "["):
		return parseLiteral(text)
	case isASCII(text) && !strings.Contains(strings.ToLower(text), "xn--"):
		return strings.ToLower(text), host.MatchString(text)
	}
	return parseInternational(text)
}

func parseLiteral(text string) (literal string, ok bool) {
	inner, closed := strings.CutSuffix(text[1:], "]")
	address, err := netip.ParseAddr(inner)
	return "[" + address.String() + "]", closed && err == nil && address.Zone() == ""
}

// profile maps what people type (case, width) as UTS #46 says and validates the result.
var profile = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.VerifyDNSLength(true))

// permitted refuses the letters that IDNA2008 (RFC 5892) permits in no label, or not between these neighbours (appendix A).
// The profile lets them pass, as UTS #46 does. An identifier of PRECIS (RFC 8264, section 4.2) has the same letters and rules;
// only the blocks of marks for symbols and of musical notes are IDNA's own exclusion (RFC 5892, section 2.4).
var permitted = precis.NewIdentifier(precis.Disallow(runes.In(&unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x20d0, Hi: 0x20ff, Stride: 1}}, R32: []unicode.Range32{{Lo: 0x1d100, Hi: 0x1d24f, Stride: 1}},
})))

// maxDomain is how many characters of a domain are looked at. As A-labels it has 253 at most (RFC 1035, 2.3.4); written
// decomposed it may have some more.
const maxDomain = 1000

func parseInternational(text string) (domain string, ok bool) {
	// The profile encodes a label before it looks at its length, and takes a time that grows with the square of that.
	if utf8.RuneCountInString(text) > maxDomain || strings.ContainsFunc(text, isHidden) {
		return "", false
	}
	domain, err := profile.ToASCII(text)
	if err != nil || !host.MatchString(domain) {
		return "", false
	}
	written, err := profile.ToUnicode(domain)
	for label := range strings.SplitSeq(written, ".") {
		_, labelErr := permitted.String(label)
		err = errors.Join(err, labelErr)
	}
	return domain, err == nil
}

// isHidden reports whether UTS #46 would take a character for nothing, or for an ASCII letter by its case alone. Such a
// character makes a domain look like another one.
func isHidden(char rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d' // the profile knows where these two may stand
	if char <= unicode.MaxASCII || char == zeroWidthNonJoiner || char == zeroWidthJoiner {
		return false
	}
	if unicode.In(char, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
		return true
	}
	for fold := unicode.SimpleFold(char); fold != char; fold = unicode.SimpleFold(fold) {
		if fold <= unicode.MaxASCII {
			return true
		}
	}
	return false
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(char rune) bool { return char > unicode.MaxASCII })
}

// Mailbox returns the form that all spellings of a mailbox share: the local part in lower case, as drf-oms compares it, and
// the domain as A-labels. Two addresses with different forms name different mailboxes. It is ASCII.
func (a Address) Mailbox() string { return a.lowerLocal() + "@" + a.domain }

// Unicode returns the mailbox with its domain as U-labels, as people write it.
func (a Address) Unicode() string {
	domain := a.domain
	if written, err := profile.ToUnicode(domain); err == nil && !strings.HasPrefix(domain, "[") {
		domain = norm.NFC.String(written)
	}
	return a.lowerLocal() + "@" + domain
}

func (a Address) lowerLocal() string { return strings.ToLower(unquote(a.local)) }

// unquote removes quotes and backslashes that change nothing: "a\b"@x, "ab"@x and ab@x are one mailbox (RFC 5321, 4.1.2).
func unquote(local string) string {
	if !strings.HasPrefix(local, `"`) {
		return local
	}
	var content, kept strings.Builder
	escaped := false
	for _, char := range []byte(local[1 : len(local)-1]) {
		if char == '\\' && !escaped {
			escaped = true
			continue
		}
		if escaped && strings.IndexByte("\"\\ \t", char) >= 0 {
			kept.WriteByte('\\')
		}
		content.WriteByte(char)
		kept.WriteByte(char)
		escaped = false
	}
	if atoms.MatchString(content.String()) {
		return content.String()
	}
	return `"` + kept.String() + `"`
}
