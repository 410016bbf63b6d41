package order

import (
	"context"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
)

// noteLook counts as an event that an admin looked at orders of a customer, 0 for those of all. What anybody sees of its own is none.
func (s *Service) noteLook(ctx context.Context, caller authn.Principal, action audit.Action, customerID uint64, detail string) {
	if caller.Admin && caller.MemberID != customerID {
		s.series.Add(audit.By(ctx, s.now(), action, caller, customerID, detail))
	}
}

// TellSeries tells accounts what is due of the series of audit events, until ctx ends, and then what is left.
func (s *Service) TellSeries(ctx context.Context) error {
	return s.series.Run(ctx, s.now, s.deps.Log, s.deps.Store.RecordEvents)
}

// NoteDenied counts as an event that a member asked for what is not its own to do or to see; request says what in a few words, without
// anything that the client chose. owner is whose it is, 0 for nobody's.
func (s *Service) NoteDenied(ctx context.Context, caller authn.Principal, owner uint64, request string) {
	event := audit.By(ctx, s.now(), audit.AccessDenied, caller, owner, request)
	event.Outcome = audit.Failure
	s.series.Add(event)
}
