package audit

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"oms.internal/libs/pace"
)

const (
	runInterval = time.Second
	runBatch    = 500
	// runEnd is how long a process that ends has for what is not written yet.
	runEnd = 2 * time.Second
	// maxLooks is how many series of looks are counted at the same time. Of refusals these are maxRunsOfOne of each of maxCallers.
	maxLooks     = 4096
	maxCallers   = 4096
	maxRunsOfOne = 8
	// Interval is how often the count of a series is written that goes on.
	Interval = 10 * time.Minute
)

// Details of events that stand for others, too.
const (
	OfManyKinds = "of many kinds" // of one caller and action
	ByMany      = "by many"       // of one action
)

// Series counts events that are the same but for their time and request, so that a flood of refusals is a few rows. What begins a series
// is due at once; after that, what has come since is due every Interval, until an interval brings nothing. The sum of the counts of
// what was due is the number of events, or more: what was written although the answer was lost is counted again. It is safe for
// concurrent use, and its memory is bounded.
//
// Nobody hides others' events behind many of its own. Looks (what succeeded), refusals of members, refusals of callers without a
// session and members' changes of themselves are counted apart. A caller is a member, or whoever has no session in one network. One that is refused in more than maxRunsOfOne
// ways has one more series for all others of its action, which names it and no subject. So each of maxCallers has room, whatever the
// others do; whoever is refused after them is counted without a name, until theirs have ended. A look that finds no place takes
// that of a series that has nothing to write. Changes are not counted without a name (see Continues).
type Series struct {
	mutex sync.Mutex
	kinds [kinds]table
}

// The kinds of series.
const (
	looks = iota
	refusedMembers
	refusedStrangers
	ownChanges
	kinds
)

// table is the series of one kind.
type table struct {
	runs  map[run]*progress
	begun map[caller]int // how many of them are of each caller
	swept bool           // of looks: all that have nothing to write were forgotten since some were written
}

// caller is a member, or a network.
type caller struct {
	member  uint64
	network netip.Prefix
}

// run is what the events of a series have in common.
type run struct {
	action  Action
	outcome Outcome
	caller  caller
	subject uint64
	address string
	detail  string
}

// progress is what was not due yet of a series.
type progress struct {
	first Event     // with the count of all since
	due   time.Time // when it was due last, the zero time for never
}

// NewSeries returns no series.
func NewSeries() *Series {
	s := &Series{}
	for i := range s.kinds {
		s.kinds[i] = table{runs: map[run]*progress{}, begun: map[caller]int{}}
	}
	return s
}

// Add counts an event.
func (s *Series) Add(event Event) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.add(event)
}

// Return counts events again that were due and could not be written, so that they are due at once.
func (s *Series) Return(events []Event) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, event := range events {
		s.add(event).due = time.Time{}
	}
}

// Continues reports whether an event goes on with a series. One that does is to be added once it has happened. Any other is to be
// written in the transaction of what it tells, and then begins a series. So the first is there whatever happens to this process, and
// so is each of whoever finds no place.
func (s *Series) Continues(event Event) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	kind, by := kindOf(event)
	of, _ := s.kinds[kind].run(event, by)
	known, found := s.kinds[kind].runs[of]
	return found && (known.first.Count > 0 || event.At.Sub(known.due) < Interval)
}

// Begin begins the series of an event that was written.
func (s *Series) Begin(event Event) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	kind, by := kindOf(event)
	if table := &s.kinds[kind]; table.begun[by] > 0 || len(table.begun) < maxCallers {
		known, _ := table.place(event, by)
		known.due = event.At
	}
}

func kindOf(event Event) (kind int, by caller) {
	by.member = event.Actor
	switch {
	case event.Outcome == Success && event.Actor != 0 && event.Actor == event.Subject:
		return ownChanges, by
	case event.Outcome == Success:
		return looks, by
	case event.Actor != 0:
		return refusedMembers, by
	default:
		by.network = network(event.Address)
		return refusedStrangers, by
	}
}

func (s *Series) add(event Event) *progress {
	kind, by := kindOf(event)
	known, event := s.kinds[kind].place(event, by)
	if known.first.Count == 0 {
		known.first = event
	} else {
		known.first.Count += event.Count
	}
	return known
}

// place returns the series of an event, which it begins if there is none, and the event as it is written.
func (t *table) place(event Event, by caller) (*progress, Event) {
	of, event := t.run(event, by)
	known, found := t.runs[of]
	if !found {
		known = &progress{}
		t.runs[of] = known
		t.begun[of.caller]++
	}
	return known, event
}

// run returns the series that an event belongs to, and the event as it is written.
func (t *table) run(event Event, by caller) (run, Event) {
	of := run{event.Action, event.Outcome, by, event.Subject, event.Address, event.Detail}
	if _, found := t.runs[of]; found {
		return of, event
	}
	kind, _ := kindOf(event)
	switch {
	case kind != looks && t.begun[by] == 0 && len(t.begun) >= maxCallers, kind == looks && !t.hasRoom():
		of = run{action: event.Action, outcome: event.Outcome, detail: ByMany}
		event.Actor, event.Subject, event.Address, event.Detail = 0, 0, "", of.detail
	case kind != looks && t.begun[by] >= maxRunsOfOne:
		of = run{action: event.Action, outcome: event.Outcome, caller: by, detail: OfManyKinds}
		if kind == ownChanges {
			of.subject = event.Subject // which is the caller
		}
		event.Subject, event.Detail = of.subject, of.detail
	}
	return of, event
}

// hasRoom reports whether one more look finds a place. Where all are taken, those go that have nothing to write, which is looked at
// once after each writing.
func (t *table) hasRoom() bool {
	if len(t.runs) >= maxLooks && !t.swept {
		t.swept = true
		t.forget(func(one *progress) bool { return one.first.Count == 0 })
	}
	return len(t.runs) < maxLooks
}

// forget ends the series that have ended.
func (t *table) forget(ended func(*progress) bool) {
	for of, known := range t.runs {
		if !ended(known) {
			continue
		}
		delete(t.runs, of)
		if t.begun[of.caller]--; t.begun[of.caller] == 0 {
			delete(t.begun, of.caller)
		}
	}
}

// network is the part of the Internet that counts as one caller: an address of IPv4, or the /56 of IPv6 that a provider hands a household
// (RIPE-690).
func network(address string) netip.Prefix {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 56
	if parsed.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(parsed, bits).Masked()
}

// Due returns what is to be written at a time, and forgets series that have ended; last says that nothing comes later. What could
// not be written is to be returned.
func (s *Series) Due(now time.Time, last bool) []Event {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var events []Event
	for i := range s.kinds {
		kind := &s.kinds[i]
		kind.swept = false
		quiet := func(one *progress) bool { return now.Sub(one.due) < Interval }
		kind.forget(func(one *progress) bool { return one.first.Count == 0 && !quiet(one) })
		for _, known := range kind.runs {
			if known.first.Count > 0 && (last || !quiet(known)) {
				events = append(events, known.first)
				*known = progress{due: now}
			}
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
			s.Return(batch)
		}
	}
}
