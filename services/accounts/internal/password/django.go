package password

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
)

const djangoPrefix = "pbkdf2_sha256$"

// maxIterations bounds what a stored hash can make us compute. Django 5.2 uses 1,000,000.
const maxIterations = 10_000_000

// verifyDjango checks a hash of Django's PBKDF2PasswordHasher: pbkdf2_sha256$iterations$salt$key, the key in base64 and
// the salt as it is.
func verifyDjango(hash, password string) (bool, error) {
	iterations, salt, want, err := readDjango(hash)
	if err != nil {
		return false, err
	}
	got, err := pbkdf2.Key(sha256.New, password, salt, iterations, len(want))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func readDjango(hash string) (iterations int, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 4 || parts[0]+"$" != djangoPrefix {
		return 0, nil, nil, errBadHash
	}
	iterations, err = strconv.Atoi(parts[1])
	if err != nil || iterations < 1 || iterations > maxIterations {
		return 0, nil, nil, errBadHash
	}
	key, err = base64.StdEncoding.DecodeString(parts[3])
	if err != nil || len(key) != sha256.Size {
		return 0, nil, nil, errBadHash
	}
	return iterations, []byte(parts[2]), key, nil
}

// IsDjango reports whether a text is a hash of Django's PBKDF2PasswordHasher, which Verify can check.
func IsDjango(hash string) bool {
	_, _, _, err := readDjango(hash)
	return err == nil
}
