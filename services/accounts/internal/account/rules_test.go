package account_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
)

func TestAStrongPasswordHasFourKindsOfCharacters(t *testing.T) {
	t.Parallel()
	for text, strong := range map[string]bool{
		"Jhlee'spwd0": true, "a A1": true, "aA1가": false, "aA1가!": true, "aA1🍤": true, "aA１!": true,
		"": false, "AA1!": false, "aa1!": false, "aaA!": false, "aaA1": false, "aA1_": false, "가나1!": false,
	} {
		require.Equal(t, strong, account.IsStrongPassword(text), "%q", text)
	}
}

func TestANewPasswordIsCheckedInItsNormalForm(t *testing.T) {
	t.Parallel()
	for password, good := range map[string]bool{
		"Jhlee'spwd0": true, "Jhlee'spwd": false, "Jh'spwd0": false, strings.Repeat("Aa0'", 32): true, strings.Repeat("Aa0'", 32) + "a": false,
		"Jhlee'sp0e\u0301": true, "Jhlee's0e\u0301": false, // ten and nine characters
		strings.Repeat("Aa0'", 31) + "Aa0e\u0301": true, // 128
	} {
		require.Equal(t, good, account.CheckPassword(password) == nil, "%+q", password)
	}
}

func TestAPasswordHasOneNormalForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Jhlee'spwd0": "Jhlee'spwd0", "Pa\u0301ss\u00a01!": "P\u00e1ss 1!", "\u1112\u1161\u11ab\u30001!": "\ud55c 1!", "\u212b": "\u00c5",
		"\uff21": "\uff21", "a\u200bb": "a\u200bb", "\t": "\t",
	} {
		require.Equal(t, want, account.NormalPassword(text), "%+q", text)
	}
}

func TestTheFormsOfFieldsAreThoseOfDrfOMS(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		form *regexp.Regexp
		good []string
		bad  []string
	}{
		{account.NamePattern, []string{"김선기", "Casey", "가힣"}, []string{"", "a1", "a b", "Casey\n", "ㄱㄴ", "é", "🍤"}},
		{account.NicknamePattern, []string{"sungi"}, []string{"", "Sungi", "sungi1", "sungi\n", "선기"}},
		{account.PhonePattern, []string{"01083574364"}, []string{"", "+8210", "010-1234", "1234567\n", "１２３４５６７"}},
	} {
		for _, text := range test.good {
			require.Regexp(t, test.form, text)
		}
		for _, text := range test.bad {
			require.NotRegexp(t, test.form, text)
		}
	}
}

func TestADirectoryHasOneOfThreeNames(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{"masked": true, "open": true, "admin": true, "": false, "Open": false, "closed": false} {
		var directory account.Directory
		err := directory.UnmarshalText([]byte(name))
		require.Equal(t, good, err == nil, name)
		if good {
			require.Equal(t, account.Directory(name), directory)
		}
	}
}

func TestWhatAClientSaysOfItselfIsCleanedAndCut(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::1", "no address": "", "": ""} {
		require.Equal(t, want, account.NewClient(authn.Principal{Address: address}, "").Address, address)
	}
	userAgent := account.NewClient(authn.Principal{}, "a\r\n\x00b\xff"+strings.Repeat("ü", 300)).UserAgent
	require.Equal(t, "ab\uFFFD"+strings.Repeat("ü", account.MaxUserAgent-3), userAgent)
}
