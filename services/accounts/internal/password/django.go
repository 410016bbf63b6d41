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
	parts := strings.Split(hash, "$")
	if len(parts) != 4 {
		return false, errBadHash
	}
	iterations, err := strconv.Atoi(parts[1])
	if err != nil || iterations < 1 || iterations > maxIterations {
		return false, errBadHash
	}
	want, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil || len(want) != sha256.Size {
		return false, errBadHash
	}
	got, err := pbkdf2.Key(sha256.New, password, []byte(parts[2]), iterations, len(want))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}
