package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/email"
)

// The cases are those of Django 3.2 (tests/validators/tests.py) but for its empty value, which is blank here.
func TestParseAcceptsWhatDjangoAccepts(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"email@here.com", "weirder-email@here.and.there.com", "email@[127.0.0.1]", "email@[2001:dB8::1]",
		"email@[2001:dB8:0:0:0:0:0:1]", "email@[::fffF:127.0.0.1]", "example@valid-----hyphens.com",
		"example@valid-with-hyphens.com", "test@domain.with.idn.tld.उदाहरण.परीक्षा", "email@localhost",
		`"test@test"@example.com`, "example@atm." + strings.Repeat("a", 63), "example@" + strings.Repeat("a", 63) + ".atm",
		"example@" + strings.Repeat("a", 63) + "." + strings.Repeat("b", 10) + ".atm", "\"\\\t\"@here.com",
		"a@" + strings.Repeat("a", 63) + ".us", "!#$%&'*+/=?^_`{}|~-@x.io", "A.B@EXAMPLE.COM",
		"a@한국.테스트", `"\""@x.test`, `""@x.test`,
	} {
		_, ok := email.Parse(address)
		require.True(t, ok, "%q", address)
	}
}

func TestParseRefusesWhatDjangoRefuses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "abc", "abc@", "abc@bar", "a @x.cz", "abc@.com", "something@@somewhere.com", "email@127.0.0.1",
		"email@[127.0.0.256]", "email@[2001:db8::12345]", "email@[2001:db8:0:0:0:0:1]", "email@[::ffff:127.0.0.256]",
		"email@[2001:dg8::1]", "email@[2001:dG8:0:0:0:0:0:1]", "email@[::fTzF:127.0.0.1]", "example@invalid-.com",
		"example@-invalid.com", "example@invalid.com-", "example@inv-.alid-.com", "example@inv-.-alid.com",
		"test@example.com\n\n<script src=\"x.js\">", "\"\\\n\"@here.com", "trailingdot@shouldfail.com.",
		"example@atm." + strings.Repeat("a", 64), "example@" + strings.Repeat("b", 64) + ".atm." + strings.Repeat("a", 63),
		"a@" + strings.Repeat("a", 64) + ".us", "a@b.com\n", "a\n@b.com", "\"test@test\"\n@example.com", "a@[127.0.0.1]\n",
		"@x.test", ".a@x.test", "a.@x.test", "a..b@x.test", "메일@x.test", "a@[::1%eth0]", "a@[127.0.0.1", "a@127.0.0.1]",
		"a@[]", "a@x..test", "a@x.t", "a@x_y.test", "a@x.test\x00", "a\x00@x.test", `"a"b@x.test`, `"a@x.test`, "a@[127.0.0.01]",
	} {
		_, ok := email.Parse(address)
		require.False(t, ok, "%q", address)
	}
}
