package password_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/password"
)

// malformed are stored texts that no known hasher wrote, or whose parameters would take all the memory or time there is.
var malformed = map[string]string{
	"plain text":              "Jhlee'spwd0",
	"one dollar":              "$",
	"no key":                  "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$",
	"no parts":                "$argon2id$v=19$m=19456,t=2,p=1",
	"too many parts":          "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5$a2V5",
	"other variant":           "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",
	"other version":           "$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",
	"no passes":               "$argon2id$v=19$m=19456,t=0,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",
	"no lanes":                "$argon2id$v=19$m=19456,t=2,p=0$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",
	"too many lanes":          "$argon2id$v=19$m=19456,t=2,p=256$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",
	"negative memory":         "$argon2id$v=19$m=-1,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",
	"all memory":              "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",
	"all time":                "$argon2id$v=19$m=19456,t=4294967295,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",
	"salt not base64":         "$argon2id$v=19$m=19456,t=2,p=1$!!!$a2V5a2V5a2V5a2V5a2V5a2V5",
	"key not base64":          "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$!!!",
	"key of one byte":         "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aw",
	"text behind the numbers": "$argon2id$v=19$m=19456,t=2,p=1x$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5",

	"django: no parts":         "pbkdf2_sha256$",
	"django: no key":           "pbkdf2_sha256$1000$salt$",
	"django: short key":        "pbkdf2_sha256$1000$salt$a2V5",
	"django: key not base64":   "pbkdf2_sha256$1000$salt$!!!",
	"django: no iterations":    "pbkdf2_sha256$0$salt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo=",
	"django: negative":         "pbkdf2_sha256$-1$salt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo=",
	"django: all time":         "pbkdf2_sha256$2147483647$salt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo=",
	"django: not a number":     "pbkdf2_sha256$many$salt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo=",
	"django: too many parts":   "pbkdf2_sha256$1000$salt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo=$",
	"django: unusable":         "!6vXGZdNVjnM1lL2C1sAmIMkEBQA7BChgvKEgCCeE",
	"django: other hasher":     "bcrypt_sha256$$2b$12$IpDVtDWwlDLyNj3Pv0Z9suYYVyIVKm5R3kqYHZUWbv1pL4oN7xkVa",
	"django: digest of sha512": "pbkdf2_sha512$1000$salt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo=",
}

func TestAMalformedStoredHashIsAnErrorAndMatchesNothing(t *testing.T) {
	t.Parallel()
	hasher := password.NewHasher()
	for name, hashed := range malformed {
		ok, _, err := hasher.Verify(t.Context(), home, hashed, secret)
		require.Error(t, err, name)
		require.False(t, ok, name)
		require.NotContains(t, err.Error(), hashed, name)
	}
}

func FuzzAWrongPasswordNeverMatchesWhateverIsStored(f *testing.F) {
	for _, hashed := range malformed {
		f.Add(hashed)
	}
	for _, old := range oldHashes {
		f.Add(old.hashed)
	}
	hasher := password.NewHasher()
	f.Fuzz(func(t *testing.T, hashed string) {
		ok, _, err := hasher.Verify(t.Context(), home, hashed, "Wrong'pwd00")
		require.False(t, ok)
		if err != nil {
			require.NotContains(t, err.Error(), secret)
		}
	})
}
