package email_test

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/email"
)

// FuzzParse compares with an oracle for ASCII that uses no regular expression.
func FuzzParse(f *testing.F) {
	for _, address := range []string{
		"a@b.cd", `"a b"@x.test`, `"\""@x.test`, "a@[::1]", "a@[1.2.3.4]", "a.b@localhost", "a@-x.test", "a@x-.test", "a@x.t-", "a@@x.test",
		"a@x.test\n", "a@\"x\".test", ".@x.test", "a@x.1e", "a@[::1%1]",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, ok := email.Parse(text)
		at := strings.LastIndexByte(text, '@')
		if strings.ContainsFunc(text, func(char rune) bool { return char > 0x7f }) || strings.Contains(strings.ToLower(text), "xn--") {
			require.False(t, ok && !atoms(text[:at]) && !quoted(text[:at]), "%q", text)
			return
		}
		want := at > 0 && (atoms(text[:at]) || quoted(text[:at])) && host(text[at+1:])
		require.Equal(t, want, ok, "%q", text)
	})
}

func letterOrDigit(char byte) bool {
	return 'a' <= char && char <= 'z' || 'A' <= char && char <= 'Z' || '0' <= char && char <= '9'
}

func atoms(user string) bool {
	for atom := range strings.SplitSeq(user, ".") {
		if atom == "" {
			return false
		}
		for _, char := range []byte(atom) {
			if !letterOrDigit(char) && !strings.ContainsRune("-!#$%&'*+/=?^_`{}|~", rune(char)) {
				return false
			}
		}
	}
	return true
}

func quoted(user string) bool {
	if len(user) < 2 || user[0] != '"' || user[len(user)-1] != '"' {
		return false
	}
	inner := user[1 : len(user)-1]
	for inner != "" {
		if inner[0] == '\\' {
			// A backslash with its character; NUL, line feed and carriage return have no place in either form.
			if len(inner) < 2 {
				return false
			}
			inner = inner[1:]
			if strings.IndexByte("\x00\n\r", inner[0]) >= 0 {
				return false
			}
		} else if strings.IndexByte("\x00\t\n\r \"", inner[0]) >= 0 {
			return false
		}
		inner = inner[1:]
	}
	return true
}

func host(domain string) bool {
	if domain == "localhost" {
		return true
	}
	if strings.HasPrefix(domain, "[") && strings.HasSuffix(domain, "]") && len(domain) > 1 {
		return net.ParseIP(domain[1:len(domain)-1]) != nil
	}
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[len(label)-1] == '-' {
			return false
		}
		for _, char := range []byte(label) {
			if !letterOrDigit(char) && char != '-' {
				return false
			}
		}
	}
	last := len(labels) - 1
	for _, label := range labels[:last] {
		if label[0] == '-' {
			return false
		}
	}
	return last > 0 && len(labels[last]) > 1
}
