package account

import (
	"context"
	"slices"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// noteRefused counts a refusal as an event.
func (s *Service) noteRefused(event audit.Event) {
	event.Outcome = audit.Failure
	s.series.Add(event)
}

// noteEarly counts as an event that something came too early, and returns the error.
func (s *Service) noteEarly(event audit.Event, err error) error {
	if fault.Is(err, fault.TooManyRequests) {
		event.Detail = "too early"
		s.noteRefused(event)
	}
	return err
}

// NoteDenied counts as an event that a member asked for what is not its own to do or to see; request says what in a few words, without
// anything that the client chose. owner is whose it is, 0 for nobody's.
func (s *Service) NoteDenied(ctx context.Context, caller authn.Principal, owner uint64, request string) {
	s.noteRefused(s.event(ctx, audit.AccessDenied, caller, owner, request))
}

// countOwnUpdate takes from events that a member changed itself where it did the same shortly before. Such are counted, so that a flood of
// them is a few rows; the first is written with the change. done is to be called with the outcome of the change. Where that is unknown,
// the event counts.
func (s *Service) countOwnUpdate(events []audit.Event) (written []audit.Event, done func(error)) {
	i := slices.IndexFunc(events, func(event audit.Event) bool {
		return event.Action == audit.MemberUpdate && event.Actor == event.Subject
	})
	if i < 0 {
		return events, func(error) {}
	}
	update := events[i]
	if !s.series.Continues(update) {
		return events, func(err error) {
			if err == nil {
				s.series.Begin(update)
			}
		}
	}
	return slices.Delete(events, i, i+1), func(err error) {
		if err == nil || fault.Is(err, fault.OutcomeUnknown) {
			s.series.Add(update)
		}
	}
}

// WriteSeries writes what is due of the series of events, until ctx ends, and then what is left.
func (s *Service) WriteSeries(ctx context.Context) error {
	return s.series.Run(ctx, s.now, s.deps.Log, s.deps.Store.RecordEvents)
}
