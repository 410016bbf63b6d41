package token

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

func TestHeaderIsReadAsKnoxReadsIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		values  []string
		token   string
		message string
	}{
		"Token":                  {[]string{"Token abc"}, "abc", ""},
		"Bearer":                 {[]string{"Bearer abc"}, "abc", ""},
		"scheme in another case": {[]string{"tOKEN abc"}, "abc", ""},
		"more blanks":            {[]string{"  Bearer \t abc "}, "abc", ""},
		"no header":              {nil, "", messageMissing},
		"empty header":           {[]string{""}, "", messageMissing},
		"other scheme":           {[]string{"Basic abc"}, "", messageMissing},
		"scheme is a prefix":     {[]string{"Tokenabc"}, "", messageMissing},
		"token alone":            {[]string{"abc"}, "", messageMissing},
		"only the scheme":        {[]string{"Token"}, "", messageEmpty},
		"only scheme and blank":  {[]string{"Bearer "}, "", messageEmpty},
		"more than two parts":    {[]string{"Token a b"}, "", messageSpaces},
		"two headers":            {[]string{"Token a", "Token b"}, "", messageSpaces},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := fromHeader(test.values)
			require.Equal(t, test.token, found)
			if test.message == "" {
				require.NoError(t, err)
				return
			}
			require.True(t, fault.Is(err, fault.Unauthenticated))
			require.Equal(t, test.message, fault.Of(err).Detail)
			require.Equal(t, "Token", fault.Of(err).Headers["WWW-Authenticate"])
		})
	}
}
