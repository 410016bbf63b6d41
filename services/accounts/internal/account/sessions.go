package account

import (
	"context"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// Sessions is what may be asked of a list of sessions. Its order is newest first.
var Sessions = listing.List{Filters: []listing.Filter{listing.ID("member", 0, "A valid integer is required.")}}

// Sessions returns one page of the live sessions of a member, of the caller unless the request names another one. Only
// admins may ask for those of others.
func (s *Service) Sessions(ctx context.Context, caller authn.Principal, request listing.Request) (listing.Rows[Session], error) {
	switch request.Value("member") {
	case nil:
		request = request.Only("member", caller.MemberID)
	case caller.MemberID:
	default:
		if err := s.requireAdmin(ctx, caller); err != nil {
			return listing.Rows[Session]{}, err
		}
		member, _ := request.Value("member").(uint64)
		s.series.Add(s.event(ctx, audit.SessionList, caller, member, ""))
	}
	return s.deps.Store.Sessions(ctx, s.now(), request)
}

// EndSession ends one live session: the caller's own, or any for an admin. Others do not learn that it exists.
func (s *Service) EndSession(ctx context.Context, caller authn.Principal, id uint64) ([]Revocation, error) {
	caller, err := s.withCurrentRights(ctx, caller)
	if err != nil {
		return nil, err
	}
	session, err := s.deps.Store.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	if session.MemberID != caller.MemberID && !caller.Admin {
		return nil, authn.NewHidden(session.MemberID)
	}
	if !session.Live(s.now()) {
		return nil, fault.NewNotFound()
	}
	event := s.event(ctx, audit.SessionEnd, caller, session.MemberID, audit.AboutSession(id))
	revocations, err := s.deps.Store.RevokeSession(ctx, session.MemberID, id, s.ending(event))
	return s.published(ctx, revocations, err)
}

// LastSeen is a session and when it was used.
type LastSeen struct {
	SessionID uint64
	At        time.Time
}

// MarkLastSeen notes when sessions were used last. A clock ahead of ours does not make it later than now.
func (s *Service) MarkLastSeen(ctx context.Context, seen []LastSeen) error {
	if len(seen) == 0 {
		return nil
	}
	now := s.now()
	latest := map[uint64]time.Time{}
	for _, session := range seen {
		at := session.At.UTC().Truncate(time.Microsecond)
		if at.After(now) {
			at = now
		}
		if at.After(latest[session.SessionID]) {
			latest[session.SessionID] = at
		}
	}
	return s.deps.Store.MarkLastSeen(ctx, latest)
}
