package account

import (
	"context"
	"fmt"
	"strings"
	"time"

	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

const (
	seriesInterval = time.Second
	seriesBatch    = 500
	// lastSeries is how long the process that ends has for what is not written yet.
	lastSeries = 2 * time.Second
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

// NoteForbidden counts as an event that a member asked for what it may not do; what is the request in a few words, without anything
// that the client chose.
func (s *Service) NoteForbidden(ctx context.Context, caller authn.Principal, subject uint64, what string) {
	s.noteRefused(s.event(ctx, audit.AccessDenied, caller, subject, what))
}

// asked says what a list was asked for. Texts are left out, since they may be somebody's name or email.
func asked(request listing.Request) string {
	var parts []string
	for _, match := range request.Matches {
		part := match.Field
		switch value := match.Values[0].(type) {
		case bool, uint64:
			part = fmt.Sprintf("%s=%v", part, value)
		case time.Time:
			part = fmt.Sprintf("%s %s %s", part, match.Op, value.UTC().Format(time.RFC3339))
		}
		parts = append(parts, part)
	}
	if len(request.Terms) > 0 {
		parts = append(parts, "search")
	}
	return strings.Join(parts, ", ")
}

// WriteSeries writes what is due of the series of events every second, until ctx ends, and then what is left.
func (s *Service) WriteSeries(ctx context.Context) error {
	ticker := time.NewTicker(seriesInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSeries)
			defer cancel()
			s.writeSeries(ending, true)
			return nil
		case <-ticker.C:
			s.writeSeries(ctx, false)
		}
	}
}

func (s *Service) writeSeries(ctx context.Context, last bool) {
	for events := s.series.Due(s.now(), last); len(events) > 0; {
		batch := events[:min(seriesBatch, len(events))]
		events = events[len(batch):]
		if err := s.deps.Store.RecordEvents(ctx, batch); err != nil {
			s.deps.Log.WarnContext(ctx, "audit events are written later", "number", len(batch), "error", err)
			for _, event := range batch {
				s.series.Add(event)
			}
		}
	}
}
