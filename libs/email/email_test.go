package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/email"
)

func mailbox(t *testing.T, text string) string {
	t.Helper()
	address, ok := email.Parse(text)
	require.True(t, ok, "%+q", text)
	return address.Mailbox()
}

func TestAllSpellingsOfAMailboxShareOneForm(t *testing.T) {
	t.Parallel()
	for want, spellings := range map[string][]string{
		"m@x.test": {"m@x.test", "M@X.TEST", `"m"@x.test`, `"\m"@x.test`, "m@\uff58.test", "m@x\u3002test"},
		"m@xn--bcher-kva.test": {
			"m@bücher.test", "m@BÜCHER.test", "m@bu\u0308cher.test", "m@xn--bcher-kva.test", "M@XN--BCHER-KVA.TEST", "m@ｂücher。test",
		},
		"a@xn--3e0b707e.xn--9t4b11yi5a": {"a@한국.테스트", "A@xn--3e0b707e.테스트", "a@\u1112\u1161\u11ab\u1100\u116e\u11a8.테스트"},
		"a@xn--fa-hia.de":               {"a@faß.de", "a@FAß.de"},
		`"a\ b"@x.test`:                 {`"a\ b"@x.test`, `"A\ B"@x.test`},
		"a@[2001:db8::1]":               {"a@[2001:dB8::1]", "a@[2001:db8:0:0:0:0:0:1]"},
		"a@localhost":                   {"a@localhost"},
	} {
		for _, spelling := range spellings {
			require.Equal(t, want, mailbox(t, spelling), "%+q", spelling)
			require.Equal(t, want, mailbox(t, want), "the form names the mailbox itself")
		}
	}
}

func TestDifferentDomainsAreDifferentMailboxes(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"i@mailİhub.test", "i@mailihub.test"}, {"a@faß.de", "a@fass.de"}, {"a@bücher.test", "a@bucher.test"},
		{"a@ı.test", "a@i.test"}, {`"a\ b"@x.test`, "ab@x.test"}, {"a.b@x.test", "ab@x.test"}, {"a@x.y.test", "a@xy.test"},
	} {
		require.NotEqual(t, mailbox(t, pair[0]), mailbox(t, pair[1]), "%+q", pair)
	}
}

func TestTheUnicodeFormReadsBackAsTheSameMailbox(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"M@XN--BCHER-KVA.test": "m@bücher.test", "m@BÜCHER.test": "m@bücher.test", "a@[::1]": "a@[::1]", "i@mailİhub.test": "i@maili\u0307hub.test",
	} {
		address, ok := email.Parse(text)
		require.True(t, ok, text)
		require.Equal(t, want, address.Unicode())
		require.Equal(t, address.Mailbox(), mailbox(t, want))
	}
}

func TestWhatIsNoDomainIsNoAddress(t *testing.T) {
	t.Parallel()
	for name, domain := range map[string]string{
		"many different letters":    manyLetters() + ".test",
		"zero width space":          "exa\u200bmple.test",
		"soft hyphen":               "exa\u00admple.test",
		"word joiner":               "exa\u2060mple.test",
		"variation selector":        "exa\ufe0fmple.test",
		"grapheme joiner":           "exa\u034fmple.test",
		"byte order mark":           "\ufeffexample.test",
		"direction override":        "exa\u202emple.test",
		"joiner out of place":       "a\u200db.test",
		"Hangul filler":             "a\u3164b.test",
		"Kelvin sign":               "\u212aelvin.test",
		"long s":                    "\u017fun.test",
		"symbol":                    "☃.test",
		"symbol as A-label":         "xn--n3h.test",
		"emoji":                     "💩.test",
		"no punycode":               "xn--a.test",
		"punycode of ASCII":         "xn--abc-.test",
		"empty punycode":            "xn--.test",
		"hyphen first":              "-bücher.test",
		"hyphens third and fourth":  "ab--cü.test",
		"left to right in Hebrew":   "1א.test",
		"underscore":                "a_ü.test",
		"blank":                     "a ü.test",
		"empty label":               "ü..test",
		"dot at the end":            "ü.test.",
		"label too long":            strings.Repeat("ü", 60) + ".test",
		"one character at the top":  "ü.t",
		"unassigned":                "\u0378.test",
		"not equal":                 "a\u2260b.test",
		"invalid UTF-8":             "\xff\xfe.test",
		"private use":               "\ue000.test",
		"fullwidth commercial at":   "a＠b.test",
		"bracket that is not ended": "[::1",
	} {
		_, ok := email.Parse("m@" + domain)
		require.False(t, ok, "%s: %+q", name, domain)
	}
}

func TestLettersThatFoldToASCIIHaveNoPlaceInALocalPart(t *testing.T) {
	t.Parallel()
	for _, local := range []string{"\u212a", "a\u212a", "\u017f", "é", "İ", "ı", `"` + "\u212a" + `"`, "\uff4d", "m\u0301"} {
		_, ok := email.Parse(local + "@x.test")
		require.False(t, ok, "%+q", local)
	}
}

// IDNA2008 has code points that no domain holds although UTS #46 lets them pass, and some that need certain neighbours.
func TestADomainHoldsWhatIDNA2008PermitsWhereItPermitsIt(t *testing.T) {
	t.Parallel()
	for domain, valid := range map[string]bool{
		"a\u0640b": false, "\u0627\u0640\u0628": false, // tatweel
		"\u07ca\u07fa": false,                   // its like in NKo
		"가\u302e":      false, "가\u302f": false, // Hangul tone marks
		"か\u3031": false, "か\u3035": false, "か\u303b": false, // marks of repetition
		"\u1100": false, "\u1161": false, "\u11a8": false, "\ua960": false, "\ud7b0": false, // jamo that make no syllable
		"\u1112\u1161\u11ab": true,                                                                // jamo that make one
		"a\u20d0":            false, "a\u20dd": false, "a\U0001d165": false, "a\U0001d242": false, // marks for symbols
		"l\u00b7l": true, "a\u00b7l": false, "l\u00b7": false, "\u00b7": false, // middle dot: in Catalan
		"\u0375α": true, "\u0375a": false, "α\u0375": false, // Greek numeral sign: before Greek
		"א\u05f3": true, "א\u05f4א": true, "\u05f3א": false, "a\u05f4": false, // geresh: behind Hebrew
		"あ・": true, "a・b": false, "・漢": true, // Katakana middle dot: with Japanese
		"ا\u0661\u0662": true, "ا\u06f1\u06f2": true, "ا\u0661\u06f2": false, // Arabic digits: of one kind
		"क्\u200dष": true, "क\u200dष": false, "ن\u200cم": true, "a\u200cb": false, // joiners
		"\u06fd": true, "\u0f0b": true, "ཀ\u0f0bཀ": true, "〇": true, "\u3006": true, "ß": true, "ς": true,
		"a\u00b2": true, // mapped to a2
		"i\u0307": true, "ƀ": true, "한국": true, "中文": true, "ไทย": true,
	} {
		_, ok := email.Parse("m@" + domain + ".test")
		require.Equal(t, valid, ok, "%+q", domain)
	}
	// Each label has its own neighbours.
	for domain, valid := range map[string]bool{"あ.a・b.test": false, "あ・.b.test": true, "l.\u00b7l.test": false} {
		_, ok := email.Parse("m@" + domain)
		require.Equal(t, valid, ok, "%+q", domain)
	}
	for _, label := range []string{"xn--l-gda", "xn--bcher-kva"} { // l· as an A-label is refused, too
		_, ok := email.Parse("m@" + label + ".test")
		require.Equal(t, label == "xn--bcher-kva", ok, label)
	}
}

// FuzzMailboxesAreStable holds that a mailbox and its Unicode form are addresses of that mailbox.
func FuzzMailboxesAreStable(f *testing.F) {
	for _, text := range []string{"m@bücher.test", `"a\"b"@x.test`, "a@[::ffff:1.2.3.4]", "i@mailİhub.test", `"a\` + "\t" + `"@x.test`, `"\\"@x.io`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, ok := email.Parse(text)
		if !ok {
			return
		}
		for _, form := range []string{address.Mailbox(), address.Unicode()} {
			again, ok := email.Parse(form)
			require.True(t, ok, "%+q of %+q", form, text)
			require.Equal(t, address.Mailbox(), again.Mailbox(), "%+q", text)
		}
	})
}

// manyLetters returns 20,000 letters of which no two are the same.
func manyLetters() string {
	var text strings.Builder
	for char := rune(0x4e00); char < 0x4e00+20_000; char++ {
		text.WriteRune(char)
	}
	return text.String()
}
