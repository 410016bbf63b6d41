package account

import (
	"context"
	"crypto/sha512"
	"time"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// KnoxDigest is what is kept of a token that drf-oms (knox) issued: SHA-512 of its 32 bytes.
type KnoxDigest [sha512.Size]byte

// Bearer is for whom a credential stands, and until when.
type Bearer struct {
	authn.Principal

	ExpiresAt time.Time
}

// BearerOfKnoxToken returns for whom a token of drf-oms stands now. found is false where there is no such token, it has expired, its
// session has ended, or its member is not active.
func (s *Service) BearerOfKnoxToken(ctx context.Context, digest KnoxDigest) (bearer Bearer, found bool, err error) {
	session, member, err := s.deps.Store.SessionOfKnoxToken(ctx, digest)
	if fault.Is(err, fault.NotFound) {
		return Bearer{}, false, nil
	}
	now := s.now()
	if err != nil || !session.Live(now) || !now.Before(session.TokenExpiresAt) || !member.Active {
		return Bearer{}, false, err
	}
	return Bearer{
		Principal: authn.Principal{MemberID: member.ID, SessionID: session.ID, Admin: member.Admin}, ExpiresAt: session.TokenExpiresAt,
	}, true, nil
}
