package account

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"oms.internal/accounts/internal/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// Guessing passwords is slowed down, never locked out for good. Failures are counted for the email (known or not) and for
// the network. The first ones are free; each further one doubles a delay within which nobody's password is looked at.
// Quiet time takes failures away again.
//
// A device from which the member logged in before has a counter of its own and is judged by that alone: however often
// others fail with its member's email, or from its network, its own login stays possible.
const (
	firstDelay   = time.Second
	maxDelay     = 15 * time.Minute
	maxDoublings = 10 // 2^10 s exceeds maxDelay; counting on would only make forgiving take longer
	// devicesKept is for how long a device is known without a login.
	devicesKept = 90 * 24 * time.Hour
	// MaxDevices is how many devices of a member are known.
	MaxDevices = 20
)

// limit is how many failures are free, and the quiet time that takes one away.
type limit struct {
	free    int
	forgive time.Duration
}

// Many people share a network and all mistype now and then, so its failures are forgiven sooner. That leaves an attacker
// about one guess a minute for each network that it has.
var (
	emailLimit   = limit{free: 5, forgive: 15 * time.Minute}
	networkLimit = limit{free: 50, forgive: time.Minute}
)

// most is what a counter does not exceed.
func (l limit) most() int { return l.free + maxDoublings }

// failuresKept is after how long every counter is back at nothing.
var failuresKept = max(
	time.Duration(emailLimit.most())*emailLimit.forgive, time.Duration(networkLimit.most())*networkLimit.forgive,
)

// Digest is a SHA-256 digest.
type Digest [sha256.Size]byte

// LoginAttempt is what a try of a password is counted under.
type LoginAttempt struct {
	MemberID uint64 // 0 for an unknown email
	Email    Digest
	Network  Digest
	Device   Digest // the member, the network and the user agent

	client Client
}

func newLoginAttempt(client Client, email string, memberID uint64) LoginAttempt {
	attempt := LoginAttempt{Email: digest("email", throttleKey(email)), Network: digest("network", client.network()), client: client}
	if client.Address == "" {
		// Clients without an address are in no network together: nobody may slow down all of them.
		attempt.Network = digest("no network", throttleKey(email))
	}
	return attempt.Of(memberID)
}

// Of returns the attempt as one of this member.
func (a LoginAttempt) Of(memberID uint64) LoginAttempt {
	a.MemberID = memberID
	a.Device = digest("device", fmt.Sprint(memberID), a.client.network(), a.client.UserAgent)
	return a
}

func digest(parts ...string) Digest { return sha256.Sum256(fmt.Appendf(nil, "%q", parts)) }

// Counter is a number of failures as of a time.
type Counter struct {
	Failures int
	At       time.Time
}

// wait is how long there is still to wait after the last failure.
func (c Counter) wait(l limit, now time.Time) time.Duration {
	quiet := max(0, now.Sub(c.At))
	for forgiven := 0; ; forgiven++ {
		excess := c.Failures - forgiven - l.free
		least := time.Duration(forgiven) * l.forgive // the quiet time that forgives so many
		if excess < 0 {
			return max(0, least-quiet)
		}
		delay := min(maxDelay, firstDelay<<min(excess, maxDoublings))
		if delay < least+l.forgive {
			return max(0, max(delay, least)-quiet)
		}
	}
}

// Standing is how many failures there are for an attempt.
type Standing struct {
	Email   Counter
	Network Counter
	Device  Counter
	Known   bool // the member logged in from the device before
}

// judge refuses an attempt that comes too early.
func (s *Service) judge(standing Standing) error {
	now := s.now()
	wait := max(standing.Email.wait(emailLimit, now), standing.Network.wait(networkLimit, now))
	if standing.Known {
		wait = standing.Device.wait(emailLimit, now)
	}
	if wait > 0 {
		return fault.NewTooManyRequests(wait)
	}
	return nil
}

// Failed is a failure to be counted.
type Failed struct {
	Subject Digest
	Most    int           // what the counter does not exceed
	Forgive time.Duration // the quiet time that takes one failure away
}

// failures are the counters that a failure adds to. There are always two, so that an attempt costs the same whoever it
// was for.
func failures(attempt LoginAttempt, standing Standing) []Failed {
	first := attempt.Email
	if standing.Known {
		first = attempt.Device
	}
	return []Failed{
		{first, emailLimit.most(), emailLimit.forgive}, {attempt.Network, networkLimit.most(), networkLimit.forgive},
	}
}

// admit refuses an attempt that comes too early, before any work is spent on it.
func (s *Service) admit(ctx context.Context, attempt LoginAttempt) error {
	standing, err := s.deps.Store.Standing(ctx, attempt)
	if err != nil {
		return err
	}
	return s.judge(standing)
}

// fail counts a failed attempt and returns the answer to it. The standing is judged once more: of many attempts that were
// admitted at the same moment, only the first ones may tell whether they guessed right.
func (s *Service) fail(ctx context.Context, attempt LoginAttempt, caller authn.Principal, action audit.Action, answer error) error {
	event := s.event(ctx, action, caller, attempt.MemberID, "")
	event.Outcome, event.Address = audit.Failure, attempt.client.Address
	err := s.deps.Store.RecordFailure(ctx, attempt, s.now(), func(standing Standing) ([]Failed, error) {
		return failures(attempt, standing), s.judge(standing)
	}, event)
	if err != nil {
		return err
	}
	return answer
}
