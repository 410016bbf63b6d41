package password_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The first two are the vectors of Django's own tests (tests/auth_tests/test_hashers.py of 3.2 and 2.0); the third was
// computed with Python's hashlib.pbkdf2_hmac.
var djangoHashes = []struct{ text, hashed string }{
	{"lètmein", "pbkdf2_sha256$260000$seasalt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo="},
	{"lètmein", "pbkdf2_sha256$100000$seasalt$BNZ6eyaNc8qFTJPjrAq99hSYb73EgAdytAtdBg2Sdcc="},
	{secret, "pbkdf2_sha256$1$pepper$1nAnYRHf9fYRT5Bw0hO7K7m8wkd4Oh9qjjyqGNaTnrc="},
}

func TestADjangoHashVerifiesAndIsOutdated(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t)
	for _, test := range djangoHashes {
		ok, outdated, err := hasher.Verify(t.Context(), test.hashed, test.text)
		require.NoError(t, err, test.hashed)
		require.True(t, ok, test.hashed)
		require.True(t, outdated, test.hashed)
	}
}

func TestAWrongPasswordDoesNotMatchADjangoHash(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t)
	for _, test := range djangoHashes {
		for _, wrong := range []string{"", test.text + " "} {
			ok, _, err := hasher.Verify(t.Context(), test.hashed, wrong)
			require.NoError(t, err, test.hashed)
			require.False(t, ok, test.hashed)
		}
	}
}
