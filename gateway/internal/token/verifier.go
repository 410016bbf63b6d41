// Package token finds out who makes a request: it reads the Authorization header and verifies the access token in it
// with the public keys of accounts, without asking anyone. For an opaque token it asks package credential.
//
// It fails closed: while it has no keys, or does not know what was revoked, it lets nobody in. Then it answers "temporarily
// unavailable", so that no client throws a valid token away. It knows neither Fiber nor NATS.
package token

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/maypok86/otter/v2"

	"oms.internal/gateway/internal/credential"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

const (
	// typeAccess is the "typ" of access tokens (RFC 9068). No other kind of JWT that the same key signs is one.
	typeAccess = "at+jwt"
	// issuedLeeway is how far the clock of accounts may be ahead of ours. Expiry has no leeway: a token must not live
	// longer than accounts said, nor longer than its revocation is remembered.
	issuedLeeway = 5 * time.Second
	// maxRemembered bounds how many verified tokens are remembered. Together they take about 5 MiB.
	maxRemembered = 1 << 15
)

// Credentials knows for whom opaque credentials stand, those that are no JWT.
type Credentials interface {
	// Find returns for whom a credential stands that a client shows, or credential.ErrUnknown, or a fault.
	Find(ctx context.Context, client netip.Addr, shown credential.Digest) (credential.Bearer, error)
}

// Revocations knows the sessions that ended before their tokens expired.
type Revocations interface {
	// Current returns an error while it is not known, or not known any more, what was revoked.
	Current() error
	Revoked(memberID, sessionID uint64) bool
}

// Options say which tokens to accept.
type Options struct {
	Issuer      string
	Audience    string
	Keys        *Keys
	Credentials Credentials
	Revocations Revocations
	Now         func() time.Time
}

// Verifier verifies access tokens. It remembers by their digests those that it has verified, because a signature takes many times as long
// as all else. What can change is looked at each time: the keys, the clock, and revocations.
type Verifier struct {
	keys        *Keys
	credentials Credentials
	revocations Revocations
	now         func() time.Time
	parser      *jwt.Parser
	remembered  *otter.Cache[digest, verified]
}

type digest = [sha256.Size]byte

// verified is what a token says, and which set of keys has verified it.
type verified struct {
	principal authn.Principal
	expires   time.Time
	keys      uint64
}

// NewVerifier returns a verifier.
func NewVerifier(options Options) *Verifier {
	return &Verifier{
		keys:        options.Keys,
		credentials: options.Credentials,
		revocations: options.Revocations,
		now:         options.Now,
		parser: jwt.NewParser(
			// One algorithm, so that no token chooses how it is verified.
			jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
			jwt.WithIssuer(options.Issuer),
			jwt.WithAudience(options.Audience),
			jwt.WithExpirationRequired(),
			jwt.WithStrictDecoding(), // a token has one spelling (RFC 4648, section 3.5)
			jwt.WithTimeFunc(options.Now),
		),
		remembered: otter.Must(&otter.Options[digest, verified]{MaximumSize: maxRemembered}),
	}
}

type claims struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid"`
	Admin     bool   `json:"adm"`
}

// Verify returns the member and session that the values of the Authorization header prove, which a client at an address has sent. Its
// errors are faults: Unauthenticated with one of knox's messages, Unavailable, or TooManyRequests for a client that invents credentials.
// ctx must have a deadline.
func (v *Verifier) Verify(ctx context.Context, client netip.Addr, authorization []string) (authn.Principal, error) {
	shown, err := fromHeader(authorization)
	if err != nil {
		return authn.Principal{}, err
	}
	if err := errors.Join(v.keys.Ready(), v.revocations.Current()); err != nil {
		return authn.Principal{}, fault.NewUnavailable(fmt.Errorf("verify token: %w", err))
	}
	principal, err := v.prove(ctx, client, shown)
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.TooManyRequests) {
		return authn.Principal{}, fault.Of(err)
	}
	// The last question of all. A session that ended while its token was verified, or that an answer of accounts did not yet know to have
	// ended, is refused as soon as this gateway knows of it, and for as long as its token lives.
	if err == nil && v.revocations.Revoked(principal.MemberID, principal.SessionID) {
		err = fmt.Errorf("session %d is revoked", principal.SessionID)
	}
	if err != nil {
		return authn.Principal{}, unauthenticated(messageInvalid, err)
	}
	return principal, nil
}

// prove returns for whom a token stands, whether or not its session has been revoked.
func (v *Verifier) prove(ctx context.Context, client netip.Addr, shown string) (authn.Principal, error) {
	if digest, opaque := credential.DigestOf(shown); opaque {
		bearer, err := v.credentials.Find(ctx, client, digest)
		return bearer.Principal, err
	}
	sum := sha256.Sum256([]byte(shown))
	known, found := v.remembered.GetIfPresent(sum)
	if !found || known.keys != v.keys.storage.sets.Load() || !v.now().Before(known.expires) {
		var err error
		if known, err = v.parse(ctx, shown); err != nil {
			return authn.Principal{}, err
		}
		v.remembered.Set(sum, known)
	}
	return known.principal, nil
}

// parse verifies a token in all but its revocation.
func (v *Verifier) parse(ctx context.Context, signed string) (verified, error) {
	// Read first: if the keys are replaced meanwhile, the token is verified again.
	keys := v.keys.storage.sets.Load()
	var content claims
	if _, err := v.parser.ParseWithClaims(signed, &content, v.keyOf(ctx)); err != nil {
		return verified{}, err
	}
	if issued := content.IssuedAt; issued != nil && issued.After(v.now().Add(issuedLeeway)) {
		return verified{}, jwt.ErrTokenUsedBeforeIssued
	}
	memberID, err := parseID("sub", content.Subject)
	if err != nil {
		return verified{}, err
	}
	sessionID, err := parseID("sid", content.SessionID)
	if err != nil {
		return verified{}, err
	}
	return verified{
		principal: authn.Principal{MemberID: memberID, SessionID: sessionID, Admin: content.Admin},
		expires:   content.ExpiresAt.Time, keys: keys,
	}, nil
}

// keyOf checks the type before it looks for the key, since an unknown key costs a request to accounts.
func (v *Verifier) keyOf(ctx context.Context) jwt.Keyfunc {
	return func(unverified *jwt.Token) (any, error) {
		if unverified.Header["typ"] != typeAccess {
			return nil, fmt.Errorf("typ is %v", unverified.Header["typ"])
		}
		return v.keys.find(ctx, unverified)
	}
}

// parseID reads the decimal id of a row. Zero is none: it stands for an anonymous caller in a principal.
func parseID(name, text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 63)
	if err != nil || id == 0 {
		return 0, fmt.Errorf("claim %s: not an id: %q", name, text)
	}
	return id, nil
}
