package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

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
	UsedBy    Digest    // the client that used it; zero where that is not known, or where another one was noted already
	// IssuedUnder tells the password that the member had then: see Member.password. It is zero where a process of an earlier release
	// issued the token.
	IssuedUnder Digest
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
	// Next is the token that follows the one shown. Where that is not its successor yet, it becomes it, and the token shown is
	// used by By from At on. The session lives on as long as Next.
	Next *RefreshToken
	At   time.Time
	By   Digest
	// Repeat is written down where another client than By gets Next again. Then By is forgotten, so that it is written once.
	Repeat *audit.Event
	// TokenExpiresAt is when the access token expires that comes with Next.
	TokenExpiresAt time.Time
	End            *Ending // the session ends
}

// countsFor reports whether the token was issued under the member's present password, as far as is known. One that counts no more has
// one use left, so that the session in which the password was changed goes on, but what it gave is not given again.
func (t RefreshToken) countsFor(member Member) bool {
	return t.IssuedUnder == Digest{} || t.IssuedUnder == member.password()
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

func (s *Service) newRefreshToken(token secret, issuedUnder Digest) (RefreshToken, error) {
	salt, err := s.random()
	return RefreshToken{Hash: token.hash(), Salt: salt, ExpiresAt: s.now().Add(s.deps.RefreshLifetime), IssuedUnder: issuedUnder}, err
}

// Refresh gives a new access token for a session and the refresh token that follows the one shown. A token is used once. Shown
// again within RefreshRepeatWindow, it gives the same successor as long as that was not used, since the answer may have been
// lost; a new password of the member ends that. Once the successor was used, two have a copy of the token and nobody can tell who is the
// thief, so the session ends; revocations come with the error then.
func (s *Service) Refresh(ctx context.Context, client Client, text string) (Grant, []Revocation, error) {
	refused := s.failed(ctx, client, authn.Principal{}, audit.Refresh, 0)
	token, ok := parseSecret(text)
	if !ok {
		s.noteRefused(refused)
		return Grant{}, nil, errInvalidToken
	}
	salt, err := s.random()
	if err != nil {
		return Grant{}, nil, err
	}
	now := s.now()
	var seen Presented
	var verdict Verdict
	revocations, err := s.deps.Store.RedeemRefreshToken(ctx, token.hash(), func(used RefreshToken) Digest {
		return token.succeed(used.Salt).hash()
	}, func(presented Presented) Verdict {
		next := RefreshToken{
			Hash: token.succeed(presented.Token.Salt).hash(), SessionID: presented.Session.ID, Salt: salt,
			ExpiresAt: now.Add(s.deps.RefreshLifetime), IssuedUnder: presented.Member.password(),
		}
		seen, verdict = presented, s.judgeRefresh(ctx, client, presented, next, now)
		return verdict
	})
	if fault.Is(err, fault.NotFound) {
		s.noteRefused(refused)
		return Grant{}, nil, errInvalidToken
	}
	if err != nil {
		return Grant{}, nil, err
	}
	if verdict.Next == nil {
		if verdict.End == nil { // whose event is stored
			refused.Subject, refused.Detail = seen.Member.ID, audit.AboutSession(seen.Session.ID)
			s.noteRefused(refused)
		}
		s.publish(ctx, revocations)
		return Grant{}, revocations, errInvalidToken
	}
	seen.Session.TokenExpiresAt = verdict.TokenExpiresAt
	grant, err := s.grant(seen.Member, seen.Session, now, token.succeed(seen.Token.Salt), *verdict.Next)
	return grant, nil, err
}

// judgeRefresh decides about a token that was shown; next follows it where it was not used yet.
func (s *Service) judgeRefresh(ctx context.Context, client Client, presented Presented, next RefreshToken, now time.Time) Verdict {
	verdict := Verdict{At: now, By: client.digest(), TokenExpiresAt: now.Add(s.deps.TokenLifetime)}
	switch successor := presented.Successor; {
	case !presented.Member.Active || !presented.Session.Live(now) || !now.Before(presented.Token.ExpiresAt):
	case presented.Token.UsedAt.IsZero():
		verdict.Next = &next
	case successor == nil:
	case !successor.UsedAt.IsZero():
		event := s.shownAgain(ctx, audit.RefreshReuse, client, presented)
		event.Outcome = audit.Failure
		verdict.End = new(s.ending(event))
	case !presented.Token.countsFor(presented.Member) || !successor.countsFor(presented.Member):
	case now.Sub(presented.Token.UsedAt) <= s.deps.RefreshRepeatWindow:
		verdict.Next = successor
		if used := presented.Token.UsedBy; used != (Digest{}) && used != verdict.By {
			verdict.Repeat = new(s.shownAgain(ctx, audit.RefreshRepeat, client, presented))
		}
	}
	return verdict
}

// shownAgain is the event that a client shows a token that was used before.
func (s *Service) shownAgain(ctx context.Context, action audit.Action, client Client, presented Presented) audit.Event {
	return s.event(ctx, action, authn.Principal{Address: client.Address}, presented.Member.ID, audit.AboutSession(presented.Session.ID))
}

// grant issues the access token of a session from a time on. The token does not outlive what is stored of it, because a
// revocation lasts only that long.
func (s *Service) grant(member Member, session Session, from time.Time, token secret, kept RefreshToken) (Grant, error) {
	expiry := from.Add(s.deps.TokenLifetime)
	if expiry.After(session.TokenExpiresAt) {
		expiry = session.TokenExpiresAt
	}
	access, err := s.deps.Tokens.Issue(member, session.ID, from, expiry)
	return Grant{Token: access, Expiry: expiry, RefreshToken: token.String(), RefreshExpiry: kept.ExpiresAt}, err
}
