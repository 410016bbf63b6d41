// Package credential finds out for whom an opaque credential stands: one that says nothing by itself, as a JWT does. It asks accounts by
// the digest of the credential, so that the credential itself goes nowhere.
//
// An answer counts for some seconds, also the answer that there is no such credential. That is no longer than it may be wrong, because
// whoever uses it looks each time whether the session was revoked meanwhile (package token), as with a JWT, which counts for hours. It
// fails closed: while accounts cannot be asked, what is not remembered is "temporarily unavailable", so that no client throws a valid
// credential away. Invented credentials cost their own address only.
package credential

import (
	"crypto/sha512"
	"encoding/hex"
)

// The only kind is the token of drf-oms (knox): 32 bytes in hex. knox took them in either case, because it made the digest of the
// bytes.
const knoxBytes = 32

// Digest is what a credential is known by: for tokens of knox, SHA-512 of their bytes.
type Digest [sha512.Size]byte

// DigestOf returns the digest of an opaque credential. ok is false for what is none.
func DigestOf(text string) (digest Digest, ok bool) {
	if len(text) != hex.EncodedLen(knoxBytes) {
		return Digest{}, false
	}
	token, err := hex.DecodeString(text)
	if err != nil {
		return Digest{}, false
	}
	return sha512.Sum512(token), true
}
