package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// repeatWithin is how long after its use a refresh token gives the same successor again: the answer may have been lost.
const repeatWithin = 10 * time.Second

const refreshBytes = 32

// Grant is what a client goes on with: an access token, and a refresh token for the next one.
type Grant struct {
	Token         string
	Expiry        time.Time
	RefreshToken  string
	RefreshExpiry time.Time
}

// RefreshToken is what the store keeps of one: nothing that anyone could show.
type RefreshToken struct {
	Hash      Digest
	SessionID uint64
	// Salt makes the successor: see succeed.
	Salt      []byte
	ExpiresAt time.Time
	UsedAt    time.Time // the zero time where it was not used
	UsedBy    *Digest   // the client; nil where it was not used, or used before clients were noted
}

// Presented is a refresh token that somebody showed, with all that it belongs to. Nobody else changes any of it until
// the verdict has been carried out.
type Presented struct {
	Member    Member
	Session   Session
	Token     RefreshToken
	Successor *RefreshToken // nil where the token was not used
}

// Verdict is what happens to a presented token; the zero value leaves everything as it is.
type Verdict struct {
	Use *RefreshToken // the token is used up at At by By, and this one follows it
	At  time.Time
	By  Digest
	// TokenExpiresAt is when the access token expires that comes with Use.
	TokenExpiresAt time.Time
	End            *Ending // the session ends
}

// secret is a refresh token as its client holds it.
type secret []byte

func (s secret) String() string { return base64.RawURLEncoding.EncodeToString(s) }
func (s secret) hash() Digest   { return sha256.Sum256(s) }

// succeed returns the token that follows. It is a function of the token and its salt so that it can be given twice
// without being stored; whoever has only the one or the other cannot tell it.
func (s secret) succeed(salt []byte) secret {
	mac := hmac.New(sha256.New, s)
	mac.Write(salt)
	return mac.Sum(nil)
}

func parseSecret(text string) (secret, bool) {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return decoded, err == nil && len(decoded) == refreshBytes
}

func (s *Service) random() ([]byte, error) {
	content := make([]byte, refreshBytes)
	if _, err := io.ReadFull(s.deps.Random, content); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	return content, nil
}

func (s *Service) newRefreshToken(token secret) (RefreshToken, error) {
	salt, err := s.random()
	return RefreshToken{Hash: token.hash(), Salt: salt, ExpiresAt: s.now().Add(s.deps.RefreshLifetime)}, err
}

// Refresh gives a new access token for a session and the refresh token that follows the one shown. A token is used once:
// shown again within repeatWithin by the same client it gives the same successor, as long as that was not used; after that somebody has a
// copy, nobody can tell who, and the session ends. Revocations come with the error then.
func (s *Service) Refresh(ctx context.Context, client Client, text string) (Grant, []Revocation, error) {
	token, ok := parseSecret(text)
	if !ok {
		return Grant{}, nil, errInvalidToken
	}
	salt, err := s.random()
	if err != nil {
		return Grant{}, nil, err
	}
	now := s.now()
	var seen Presented
	var next *RefreshToken
	revocations, err := s.deps.Store.RedeemRefreshToken(ctx, token.hash(), func(used RefreshToken) Digest {
		return token.succeed(used.Salt).hash()
	}, func(presented Presented) (verdict Verdict) {
		seen, next = presented, nil
		switch {
		case !presented.Member.Active || !presented.Session.Live(now) || !now.Before(presented.Token.ExpiresAt):
		case presented.Token.UsedAt.IsZero():
			next = &RefreshToken{
				Hash: token.succeed(presented.Token.Salt).hash(), SessionID: presented.Session.ID, Salt: salt,
				ExpiresAt: now.Add(s.deps.RefreshLifetime),
			}
			verdict.By = client.digest()
			verdict.Use, verdict.At, verdict.TokenExpiresAt = next, now, now.Add(s.deps.TokenLifetime)
			seen.Session.TokenExpiresAt = verdict.TokenExpiresAt
		case repeatable(presented, client, now):
			next = presented.Successor
		default:
			ending := s.reused(ctx, client, presented)
			verdict.End = &ending
		}
		return verdict
	})
	if fault.Is(err, fault.NotFound) {
		return Grant{}, nil, errInvalidToken
	}
	if err != nil {
		return Grant{}, nil, err
	}
	if next == nil {
		s.publish(ctx, revocations)
		return Grant{}, revocations, errInvalidToken
	}
	grant, err := s.grant(seen.Member, seen.Session, now, token.succeed(seen.Token.Salt), *next)
	return grant, nil, err
}

// repeatable reports whether the answer to a used token is given again. It was lost on the way to one client, so another one
// has a copy; a thief would otherwise have repeatWithin after each refresh to join in unnoticed.
func repeatable(presented Presented, client Client, now time.Time) bool {
	sameClient := presented.Token.UsedBy == nil || *presented.Token.UsedBy == client.digest()
	return sameClient && presented.Successor != nil && presented.Successor.UsedAt.IsZero() &&
		now.Sub(presented.Token.UsedAt) <= repeatWithin
}

// reused is the end of a session one of whose tokens was copied.
func (s *Service) reused(ctx context.Context, client Client, presented Presented) Ending {
	event := s.event(ctx, audit.RefreshReuse, authn.Principal{Address: client.Address}, presented.Member.ID,
		audit.AboutSession(presented.Session.ID))
	event.Outcome = audit.Failure
	return s.ending(event)
}

// grant issues the access token of a session from a time on. It does not outlive what is stored of it, by which a revocation
// goes.
func (s *Service) grant(member Member, session Session, from time.Time, token secret, kept RefreshToken) (Grant, error) {
	session.CreatedAt, session.ExpiresAt = from, from.Add(s.deps.TokenLifetime)
	if session.ExpiresAt.After(session.TokenExpiresAt) {
		session.ExpiresAt = session.TokenExpiresAt
	}
	access, err := s.deps.Tokens.Issue(member, session)
	return Grant{Token: access, Expiry: session.ExpiresAt, RefreshToken: token.String(), RefreshExpiry: kept.ExpiresAt}, err
}
