package account

import (
	"context"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// Guessing passwords is slowed down, never locked out for good. The first failures are free; each further one doubles a delay
// within which nobody's password is looked at. Quiet time takes failures away again.
//
// A device from which the member logged in before has a counter of its own. While that allows it, its password is looked at
// although others wait: however often strangers fail with its member's email, or from its network, its own login stays possible.
// A wrong password is answered as that of any device would be, so nobody learns which devices are known.
const (
	// devicesKept is for how long a device is known without a login.
	devicesKept = 90 * 24 * time.Hour
	// MaxDevices is how many devices of a member are known.
	MaxDevices = 20
)

// Standing is how many failures there are for an attempt.
type Standing struct {
	Counters map[Digest]Counter
	Known    bool // the member logged in from the device before
}

// wait is how long an attempt from a device that is not known must wait.
func (a Attempt) wait(standing Standing, now time.Time) time.Duration {
	var longest time.Duration
	for _, subject := range a.subjects {
		longest = max(longest, standing.Counters[subject.digest].wait(subject.limit, now))
	}
	return longest
}

// exempt reports whether the attempt need not wait for what others did.
func (a Attempt) exempt(standing Standing, now time.Time) bool {
	return standing.Known && standing.Counters[a.Device].wait(deviceLimit, now) == 0
}

// failures are the counters after a failure of the attempt. There are always as many, so that it costs the same whoever it was
// for.
func (a Attempt) failures(standing Standing, now time.Time) []Counted {
	counted := make([]Counted, len(a.subjects), MaxSubjects)
	for i, subject := range a.subjects {
		counted[i] = Counted{subject.digest, standing.Counters[subject.digest].failed(subject.limit, now)}
	}
	if a.Device == (Digest{}) {
		return counted
	}
	return append(counted, a.deviceFailure(standing, now))
}

func (a Attempt) deviceFailure(standing Standing, now time.Time) Counted {
	return Counted{a.Device, standing.Counters[a.Device].failed(deviceLimit, now)}
}

// judge refuses an attempt that comes too early.
func (s *Service) judge(attempt Attempt, standing Standing) error {
	now := s.now()
	if wait := attempt.wait(standing, now); wait > 0 && !attempt.exempt(standing, now) {
		return fault.NewTooManyRequests(wait)
	}
	return nil
}

// admit refuses an attempt that comes too early, before any work is spent on it, and counts that as an event.
func (s *Service) admit(ctx context.Context, attempt Attempt, event audit.Event) error {
	standing, err := s.deps.Store.Standing(ctx, attempt)
	if err != nil {
		return err
	}
	return s.noteEarly(event, s.judge(attempt, standing))
}

// fail counts a failed attempt and returns the answer to it. The standing is judged once more: of many attempts that were
// admitted at the same moment, only the first ones may tell whether they guessed right. An exempt device hears what any other
// would, and its failure is then its own alone.
func (s *Service) fail(ctx context.Context, attempt Attempt, event audit.Event, answer error) error {
	event.Outcome = audit.Failure
	var refusal error
	err := s.deps.Store.RecordFailure(ctx, attempt, func(standing Standing) ([]Counted, error) {
		now := s.now()
		refusal = answer
		wait := attempt.wait(standing, now)
		switch {
		case wait == 0:
			return attempt.failures(standing, now), nil
		case !attempt.exempt(standing, now):
			return nil, fault.NewTooManyRequests(wait)
		}
		refusal = fault.NewTooManyRequests(wait)
		return []Counted{attempt.deviceFailure(standing, now)}, nil
	}, event)
	if err != nil {
		return s.noteEarly(event, err)
	}
	return refusal
}

// failed is the event that the client failed to do something to a member; fail makes it a failure.
func (s *Service) failed(ctx context.Context, client Client, caller authn.Principal, action audit.Action, subject uint64) audit.Event {
	event := s.event(ctx, action, caller, subject, "")
	event.Address = client.Address
	return event
}
