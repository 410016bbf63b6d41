package token

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"oms.internal/accounts/internal/account"
)

// tokenType is the typ header of an access token (RFC 9068, section 2.1); no other kind of JWT passes for one.
const tokenType = "at+jwt"

// Issuer issues access tokens.
type Issuer struct {
	keys     *Keyring
	issuer   string
	audience string
}

// NewIssuer returns an issuer that signs with the keyring's signing key and names itself and its audience as given.
func NewIssuer(keys *Keyring, issuer, audience string) *Issuer {
	return &Issuer{keys: keys, issuer: issuer, audience: audience}
}

type claims struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid"`
	Admin     bool   `json:"adm,omitempty"`
}

// Issue returns an access token of a session, valid from issuedAt until expiresAt.
func (i *Issuer) Issue(member account.Member, sessionID uint64, issuedAt, expiresAt time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    i.issuer,
			Subject:   strconv.FormatUint(member.ID, 10),
			Audience:  jwt.ClaimStrings{i.audience},
			ExpiresAt: jwt.NewNumericDate(expiresAt),
			IssuedAt:  jwt.NewNumericDate(issuedAt),
			ID:        rand.Text(),
		},
		SessionID: strconv.FormatUint(sessionID, 10),
		Admin:     member.Admin,
	})
	key := i.keys.signer()
	token.Header["typ"] = tokenType
	token.Header["kid"] = key.id
	signed, err := token.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}
