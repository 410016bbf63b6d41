package account

import (
	"context"
	"time"

	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/requestid"
)

// Ending is when sessions end, until when their tokens must be refused, and what is written down of it.
type Ending struct {
	At     time.Time
	Until  time.Time // when the last access token that there can be expires by itself
	Events []audit.Event
}

func (s *Service) ending(events ...audit.Event) Ending {
	now := s.now()
	return Ending{At: now, Until: now.Add(s.TokenLifetime), Events: events}
}

// event says that the caller does something to a member. It is a success unless changed.
func (s *Service) event(ctx context.Context, action audit.Action, caller authn.Principal, subject uint64, detail string) audit.Event {
	return audit.Event{
		At: s.now(), Action: action, Actor: caller.MemberID, Subject: subject, Address: cleanAddress(caller.Address),
		Outcome: audit.Success, RequestID: requestid.From(ctx), Detail: detail,
	}
}

// AuditEvents returns one page of what was written down, and how much there is in all. Only admins may ask.
func (s *Service) AuditEvents(ctx context.Context, caller authn.Principal, query audit.Query) ([]audit.Event, int, error) {
	if err := s.requireAdmin(ctx, caller); err != nil {
		return nil, 0, err
	}
	return s.Store.AuditEvents(ctx, query)
}

// RecordKeyRotation writes down that an operator made a new signing key.
func (s *Service) RecordKeyRotation(ctx context.Context, detail string) error {
	return s.Store.RecordEvent(ctx, s.event(ctx, audit.KeyRotation, authn.Principal{}, 0, detail))
}
