package drf

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
)

// half is how many bytes of a digest are of the fields, and how many of the secret.
const half = 16

// Digest tells a row from every other state of it. Its first half is of the row's fields, and its second half of its secret (a hash of a
// password), so that one can be compared without the other.
type Digest [2 * half]byte

// SameFields reports whether two rows have the same fields, whatever their secrets.
func (d Digest) SameFields(other Digest) bool { return bytes.Equal(d[:half], other[:half]) }

// SameSecret reports whether two rows have the same secret.
func (d Digest) SameSecret(other Digest) bool { return bytes.Equal(d[half:], other[half:]) }

// WithSecretOf returns the digest of a row with the same fields and another one's secret.
func (d Digest) WithSecretOf(other Digest) Digest {
	copy(d[half:], other[half:])
	return d
}

// Of returns the digest of a row with these fields, and with a secret unless that is "".
func Of(secret string, fields ...string) Digest {
	raw := make([]sql.RawBytes, len(fields))
	for i, field := range fields {
		raw[i] = sql.RawBytes(field)
		if raw[i] == nil {
			raw[i] = sql.RawBytes{}
		}
	}
	return of([]byte(secret), raw)
}

func of(secret []byte, fields []sql.RawBytes) (digest Digest) {
	var buffer [512]byte
	encoded := buffer[:0]
	for _, field := range fields {
		if field == nil {
			encoded = append(encoded, 0)
			continue
		}
		encoded = binary.AppendUvarint(encoded, uint64(len(field))+1)
		encoded = append(encoded, field...)
	}
	sum := sha256.Sum256(encoded)
	copy(digest[:half], sum[:])
	if len(secret) > 0 {
		sum = sha256.Sum256(secret)
		copy(digest[half:], sum[:])
	}
	return digest
}
