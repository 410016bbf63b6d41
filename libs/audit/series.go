package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"oms.internal/libs/pace"
)

const (
	runInterval = time.Second
	runBatch    = 500
	// runEnd is how long a process that ends has for what is not written yet.
	runEnd = 2 * time.Second
	// maxRuns is how many series are counted at the same time. Of further ones only the action and the outcome are kept.
	maxRuns = 4096
	// Interval is how often the count of a series is written that goes on.
	Interval = 10 * time.Minute
)

// Series counts events that are the same but for their time and request, so that a flood of refusals is a few rows. What begins a series
// is due at once; after that, what has come since is due every Interval, until an interval brings nothing. The sum of the counts of
// what was due is the number of events. It is safe for concurrent use, and its memory is bounded.
type Series struct {
	mutex sync.Mutex
	runs  map[run]*progress
}

// run is what the events of a series have in common.
type run struct {
	action         Action
	outcome        Outcome
	actor, subject uint64
	address        string
	detail         string
}

// progress is what was not due yet of a series.
type progress struct {
	first Event     // with the count of all since
	due   time.Time // when it was due last, the zero time for never
}

// NewSeries returns no series.
func NewSeries() *Series { return &Series{runs: map[run]*progress{}} }

// Add counts an event.
func (s *Series) Add(event Event) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	of := run{event.Action, event.Outcome, event.Actor, event.Subject, event.Address, event.Detail}
	known, found := s.runs[of]
	if !found && len(s.runs) >= maxRuns {
		of = run{action: event.Action, outcome: event.Outcome, detail: "by many"}
		event.Actor, event.Subject, event.Address, event.Detail = 0, 0, "", of.detail
		known, found = s.runs[of]
	}
	if !found {
		s.runs[of] = &progress{first: event}
		return
	}
	if known.first.Count == 0 {
		known.first = event
		return
	}
	known.first.Count += event.Count
}

// Due returns what is to be written at a time, and forgets series that have ended; last says that nothing comes later. What could
// not be written is to be added again.
func (s *Series) Due(now time.Time, last bool) []Event {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var events []Event
	for of, known := range s.runs {
		switch quiet := now.Sub(known.due) < Interval; {
		case quiet && !last:
		case known.first.Count == 0:
			delete(s.runs, of)
		default:
			events = append(events, known.first)
			*known = progress{due: now}
		}
	}
	return events
}

// Run writes what is due every second, until ctx ends, and then what is left. What could not be written is written later. write stores
// all events that it is given, or none.
func (s *Series) Run(
	ctx context.Context, now func() time.Time, log *slog.Logger, write func(context.Context, []Event) error,
) error {
	pace.Every(ctx, runInterval, func() { s.writeDue(ctx, now(), false, log, write) })
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), runEnd)
	defer cancel()
	s.writeDue(ending, now(), true, log, write)
	return nil
}

func (s *Series) writeDue(
	ctx context.Context, now time.Time, last bool, log *slog.Logger, write func(context.Context, []Event) error,
) {
	for events := s.Due(now, last); len(events) > 0; {
		batch := events[:min(runBatch, len(events))]
		events = events[len(batch):]
		if err := write(ctx, batch); err != nil {
			log.WarnContext(ctx, "audit events are written later", "number", len(batch), "error", err)
			for _, event := range batch {
				s.Add(event)
			}
		}
	}
}
