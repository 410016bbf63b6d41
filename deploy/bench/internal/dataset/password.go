package dataset

import (
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// Password is what every member logs in with.
const Password = "Jhlee'spwd0" // #nosec G101 -- of a benchmark

// The parameters of services/accounts/internal/password, which hashes again what has others.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	keyBytes  = 32
)

// Hash is the work of one login: a key of a password.
func Hash(password string, salt [16]byte) []byte {
	return argon2.IDKey([]byte(password), salt[:], passes, memoryKiB, lanes, keyBytes)
}

// passwordHash is one hash for all members, because to make one takes as long as to insert a hundred members.
func passwordHash() string {
	salt := [16]byte{}
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes,
		encode(salt[:]), encode(Hash(Password, salt)))
}
