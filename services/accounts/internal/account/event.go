package account

import (
	"context"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/listing"
)

// RevocationMargin is how much longer than its tokens live a revocation is kept: the clocks of those who check tokens differ,
// and between Ending.At and the revocation there may be a wait for a lock.
const RevocationMargin = time.Minute

// Ending is when sessions end, until when their tokens must be refused, and what is written down of it.
type Ending struct {
	At     time.Time
	Until  time.Time // at the least; later where Covering says so
	Events []audit.Event
}

// Covering returns until when the tokens must be refused of which the last expires at the given time. The lifetime that is
// configured now does not tell: it may have been longer when they were issued.
func (e Ending) Covering(expiry time.Time) time.Time {
	if until := expiry.Add(RevocationMargin); until.After(e.Until) {
		return until
	}
	return e.Until
}

func (s *Service) ending(events ...audit.Event) Ending {
	now := s.now()
	return Ending{At: now, Until: now.Add(s.deps.TokenLifetime + RevocationMargin), Events: events}
}

// event says that the caller does something to a member. It is a success unless changed.
func (s *Service) event(ctx context.Context, action audit.Action, caller authn.Principal, subject uint64, detail string) audit.Event {
	return audit.By(ctx, s.now(), action, caller, subject, detail)
}

// AuditList is what may be asked of the list of events. Its order is newest first.
var AuditList = listing.List{Filters: []listing.Filter{
	listing.Choice("action", audit.Actions()...), listing.Choice("outcome", audit.Outcomes()...),
	listing.ID("actor", 0, "A valid integer is required."), listing.ID("subject", 0, "A valid integer is required."),
	listing.Since("since", "at"), listing.Until("until", "at"),
}}

// AuditEvents returns one page of what was written down. Only admins may ask.
func (s *Service) AuditEvents(ctx context.Context, caller authn.Principal, request listing.Request) (listing.Rows[audit.Event], error) {
	if err := s.requireAdmin(ctx, caller); err != nil {
		return listing.Rows[audit.Event]{}, err
	}
	s.series.Add(s.event(ctx, audit.AuditList, caller, 0, audit.Asked(request)))
	return s.deps.Store.AuditEvents(ctx, request)
}

// RecordKeyRotation writes down that an operator made a new signing key.
func (s *Service) RecordKeyRotation(ctx context.Context, detail string) error {
	return s.deps.Store.RecordEvents(ctx, []audit.Event{s.event(ctx, audit.KeyRotation, authn.Principal{}, 0, detail)})
}
