// Package assertion carries the identity of a caller from the gateway, which verified it, to the services, which believe
// nobody else.
//
// The gateway signs the principal with its Ed25519 key into a short-lived JWT for one service (the audience). Services hold
// only the public key, so no service can speak for a caller to another one. A request without a valid assertion is refused,
// even on public routes: there the gateway asserts that the caller is anonymous.
//
// A signature takes many times as long as all else, so both ends remember: the gateway what it has signed for a caller in the last
// seconds, and a service what it has verified.
//
// The package knows no transport: package httpx reads the header.
package assertion

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/maypok86/otter/v2"

	"oms.internal/libs/authn"
)

// Header is the HTTP header in which an assertion travels from the gateway to a service.
const Header = "Oms-Principal"

// Lifetime is how long an assertion is valid: signedFor, and the time a request may take to reach its service, with room for clocks
// that differ.
const Lifetime = 30 * time.Second

const (
	// signedFor is for how long an assertion is sent again for the same caller.
	signedFor = 10 * time.Second
	// maxSigned and maxVerified bound what is remembered, about 5 MiB each.
	maxSigned   = 1 << 13
	maxVerified = 1 << 15

	issuer = "oms-gateway"
	// leeway is how far a service's clock may be behind the gateway's.
	leeway = 5 * time.Second
)

type claims struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid,omitempty"`
	Admin     bool   `json:"adm,omitempty"`
	Address   string `json:"adr,omitempty"`
}

// Signer signs principals; it belongs to the gateway.
type Signer struct {
	key    ed25519.PrivateKey
	now    func() time.Time
	signed *otter.Cache[subject, assertion]
}

// subject is whom an assertion is about, and for which service it is.
type subject struct {
	principal authn.Principal
	audience  string
}

type assertion struct {
	text string
	at   time.Time
}

// NewSigner returns a signer with the gateway's private key and a clock.
func NewSigner(key ed25519.PrivateKey, now func() time.Time) *Signer {
	return &Signer{key: key, now: now, signed: otter.Must(&otter.Options[subject, assertion]{MaximumSize: maxSigned})}
}

// Sign returns the value of Header for a request to the service named audience.
func (s *Signer) Sign(principal authn.Principal, audience string) (string, error) {
	now, about := s.now(), subject{principal, audience}
	// A clock that was set back must not make an assertion last longer.
	if known, found := s.signed.GetIfPresent(about); found && !now.Before(known.at) && now.Sub(known.at) < signedFor {
		return known.text, nil
	}
	signed, err := s.sign(principal, audience, now)
	if err != nil {
		return "", err
	}
	s.signed.Set(about, assertion{signed, now})
	return signed, nil
}

func (s *Signer) sign(principal authn.Principal, audience string, now time.Time) (string, error) {
	content := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Audience:  jwt.ClaimStrings{audience},
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(Lifetime)),
		},
		Address: principal.Address,
	}
	if !principal.Anonymous() {
		content.Subject = strconv.FormatUint(principal.MemberID, 10)
		content.SessionID = strconv.FormatUint(principal.SessionID, 10)
		content.Admin = principal.Admin
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, content).SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign principal: %w", err)
	}
	return signed, nil
}

// Verifier checks principals for one service.
type Verifier struct {
	key      ed25519.PublicKey
	now      func() time.Time
	parser   *jwt.Parser
	verified *otter.Cache[digest, verified]
}

type digest = [sha256.Size]byte

// verified is what an assertion says.
type verified struct {
	principal authn.Principal
	expires   time.Time
}

// NewVerifier returns a verifier for the service named audience with the gateway's public key and a clock.
func NewVerifier(key ed25519.PublicKey, audience string, now func() time.Time) *Verifier {
	return &Verifier{
		key: key, now: now,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
			jwt.WithIssuer(issuer),
			jwt.WithAudience(audience),
			jwt.WithExpirationRequired(),
			jwt.WithStrictDecoding(), // a token has one spelling (RFC 4648, section 3.5)
			jwt.WithLeeway(leeway),
			jwt.WithTimeFunc(now),
		),
		verified: otter.Must(&otter.Options[digest, verified]{MaximumSize: maxVerified}),
	}
}

// Verify returns the principal in a value of Header. Every failure is the fault Unauthenticated.
func (v *Verifier) Verify(signed string) (authn.Principal, error) {
	sum := sha256.Sum256([]byte(signed))
	if known, found := v.verified.GetIfPresent(sum); found && v.now().Before(known.expires) {
		return known.principal, nil
	}
	read, err := v.read(signed)
	if err != nil {
		return authn.Principal{}, authn.NewUnauthenticated(err)
	}
	v.verified.Set(sum, read)
	return read.principal, nil
}

func (v *Verifier) read(signed string) (verified, error) {
	var content claims
	_, err := v.parser.ParseWithClaims(signed, &content, func(*jwt.Token) (any, error) { return v.key, nil })
	if err != nil {
		return verified{}, err
	}
	expires := content.ExpiresAt.Add(leeway)
	if content.Subject == "" {
		return verified{authn.Principal{Address: content.Address}, expires}, nil
	}
	memberID, memberErr := strconv.ParseUint(content.Subject, 10, 64)
	sessionID, sessionErr := strconv.ParseUint(content.SessionID, 10, 64)
	return verified{
		authn.Principal{MemberID: memberID, SessionID: sessionID, Admin: content.Admin, Address: content.Address}, expires,
	}, errors.Join(memberErr, sessionErr)
}

// ReadPrivateKey reads an Ed25519 key from a PEM file in PKCS #8 form (RFC 8410).
func ReadPrivateKey(path string) (ed25519.PrivateKey, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: not an Ed25519 private key", path)
	}
	return key, nil
}

// ReadPublicKey reads an Ed25519 key from a PEM file in PKIX form (RFC 8410).
func ReadPublicKey(path string) (ed25519.PublicKey, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s: not an Ed25519 public key", path)
	}
	return key, nil
}

func readPEM(path string) (*pem.Block, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block", path)
	}
	return block, nil
}
