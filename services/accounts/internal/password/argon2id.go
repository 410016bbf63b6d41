package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The parameters that OWASP's Password Storage Cheat Sheet gives for argon2id: 19 MiB, two passes, one lane.
const (
	memoryKiB  = 19 * 1024
	passes     = 2
	lanes      = 1
	saltBytes  = 16
	keyBytes   = 32
	argon2Form = "$argon2id$v=%d$m=%d,t=%d,p=%d$"
)

// What a stored hash can make us compute is bounded: the memory is what RFC 9106 recommends where there is little of it,
// passes and lanes are more than anyone uses.
const (
	maxMemoryKiB = 64 * 1024
	maxPasses    = 16
	maxLanes     = 16
	minKeyBytes  = 16
)

var errBadHash = errors.New("password: the stored hash has no known form")

// hashArgon2id returns $argon2id$v=19$m=…,t=…,p=…$salt$key (PHC string format).
func hashArgon2id(password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	return phc(salt, argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, keyBytes)), nil
}

func phc(salt, key []byte) string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf(argon2Form, argon2.Version, memoryKiB, passes, lanes) + encode(salt) + "$" + encode(key)
}

// unknownHash is what the password of a member that does not exist is compared with: one of the present parameters, whose key of zeros
// no password has. It is not computed from a password, because that would have each process hold 19 MiB for minutes after its start.
var unknownHash = phc(make([]byte, saltBytes), make([]byte, keyBytes))

func verifyArgon2id(hash, password string) (ok, outdated bool, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return false, false, errBadHash
	}
	var version int
	var memory, time uint32
	var threads uint8
	if _, err := fmt.Sscanf(strings.Join(parts[:4], "$")+"$", argon2Form, &version, &memory, &time, &threads); err != nil || version != argon2.Version {
		return false, false, errBadHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	want, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(saltErr, keyErr); err != nil || len(want) < minKeyBytes {
		return false, false, errBadHash
	}
	if memory > maxMemoryKiB || time == 0 || time > maxPasses || threads == 0 || threads > maxLanes {
		return false, false, errBadHash
	}
	got := argon2.IDKey([]byte(password), salt, time, memory, threads, uint32(len(want)))
	outdated = memory != memoryKiB || time != passes || threads != lanes || len(salt) != saltBytes || len(want) != keyBytes
	return subtle.ConstantTimeCompare(got, want) == 1, outdated, nil
}
