// Package vault hides what is kept of sign-ups that must be done once: the answer, which holds tokens, and the request, which
// holds a password. Whoever reads the database without the vault's secret learns nothing of either.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/idempotency"
)

// MinSecret is how many characters a secret has at least.
const MinSecret = 32

// The purposes of the keys that are made of the secret. Each has one, so that none tells anything of another.
const (
	purposeFingerprint = "oms accounts sign-up fingerprint"
	purposeAnswer      = "oms accounts sign-up answer"
)

const keyLength = 32

// Vault is account.Vault with AES-256-GCM and HMAC-SHA-256.
type Vault struct {
	fingerprint []byte
	answer      cipher.AEAD
}

var _ account.Vault = (*Vault)(nil)

// New returns a vault. All instances of the service need the same secret, or none reads what another has kept.
func New(secret string) (*Vault, error) {
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("the secret has fewer than %d characters", MinSecret)
	}
	fingerprint, err := hkdf.Key(sha256.New, []byte(secret), nil, purposeFingerprint, keyLength)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, purposeAnswer, keyLength)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	answer, err := cipher.NewGCMWithRandomNonce(block)
	return &Vault{fingerprint: fingerprint, answer: answer}, err
}

// Fingerprint is an HMAC. A plain digest would let a thief of the database try passwords as fast as a digest is computed.
func (v *Vault) Fingerprint(parts ...string) account.Digest {
	contents := make([][]byte, len(parts))
	for i, part := range parts {
		contents[i] = []byte(part)
	}
	digest := idempotency.Fingerprint(contents...)
	mac := hmac.New(sha256.New, v.fingerprint)
	mac.Write(digest[:])
	return account.Digest(mac.Sum(nil))
}

// answer is what is sealed. Its names are stored for a day, so they only gain members. An answer that a process of the release
// before has sealed lacks the session and the hash.
type answer struct {
	ID            uint64    `json:"id"`
	Email         string    `json:"email"`
	Name          string    `json:"name"`
	Nickname      string    `json:"nickname"`
	Phone         string    `json:"phone"`
	Gender        string    `json:"gender"`
	CreatedAt     time.Time `json:"created_at"`
	Version       uint64    `json:"version"`
	Token         string    `json:"token"`
	Expiry        time.Time `json:"expiry"`
	RefreshToken  string    `json:"refresh_token"`
	RefreshExpiry time.Time `json:"refresh_expiry"`
	SessionID     uint64    `json:"session_id"`
	PasswordHash  string    `json:"password_hash"`
}

// Seal encrypts the answer. The fingerprint goes with it as what must be there to open it, so that no row can be given
// the answer of another.
func (v *Vault) Seal(fingerprint account.Digest, done account.SignedUp) ([]byte, error) {
	member, grant := done.View.Member, done.Grant
	content, err := json.Marshal(answer{ //nolint:gosec // it is encrypted below
		ID: member.ID, Email: member.Email, Name: member.Name, Nickname: member.Nickname, Phone: member.Phone,
		Gender: member.Gender, CreatedAt: member.CreatedAt, Version: member.Version,
		Token: grant.Token, Expiry: grant.Expiry, RefreshToken: grant.RefreshToken, RefreshExpiry: grant.RefreshExpiry,
		SessionID: done.SessionID, PasswordHash: member.PasswordHash,
	})
	if err != nil {
		return nil, err
	}
	return v.answer.Seal(nil, nil, content, fingerprint[:]), nil //nolint:gosec // the nonce is random, made by the AEAD itself
}

// Open decrypts an answer. A member that signed up is active, without the admin right and without an order.
func (v *Vault) Open(fingerprint account.Digest, sealed []byte) (account.SignedUp, error) {
	content, err := v.answer.Open(nil, nil, sealed, fingerprint[:])
	if err != nil {
		return account.SignedUp{}, errors.New("what is kept of a sign-up cannot be opened")
	}
	var kept answer
	if err := json.Unmarshal(content, &kept); err != nil {
		return account.SignedUp{}, fmt.Errorf("what is kept of a sign-up: %w", err)
	}
	return account.SignedUp{SessionID: kept.SessionID, Login: account.Login{
		View: account.View{Member: account.Member{
			ID: kept.ID, Email: kept.Email, Name: kept.Name, Nickname: kept.Nickname, Phone: kept.Phone, Gender: kept.Gender,
			PasswordHash: kept.PasswordHash, Active: true, CreatedAt: kept.CreatedAt, Version: kept.Version,
		}},
		Grant: account.Grant{
			Token: kept.Token, Expiry: kept.Expiry, RefreshToken: kept.RefreshToken, RefreshExpiry: kept.RefreshExpiry,
		},
	}}, nil
}
