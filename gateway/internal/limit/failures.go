package limit

import (
	"net/netip"
	"time"

	"oms.internal/libs/fault"
)

// Failures bounds how often an address may ask for something in vain. Only what fails counts, so that many members behind one
// address do not stand in each other's way.
type Failures struct{ buckets *buckets[netip.Addr] }

// NewFailures returns failures of which there may be so many.
func NewFailures(rate Rate, now func() time.Time) *Failures {
	return &Failures{buckets: newBuckets[netip.Addr](rate, now)}
}

// Check returns the fault TooManyRequests while an address has failed too often.
func (f *Failures) Check(address netip.Addr) error { return tooOften(f.buckets.wait(address)) }

// Count counts a failure of an address, or returns the fault TooManyRequests where it has failed too often. Whoever does not know yet
// whether it fails counts it all the same, because many that are under way at once would be too many, and forgives it if it has not failed.
func (f *Failures) Count(address netip.Addr) error {
	return tooOften(f.buckets.take(address).retryAfter)
}

// Forgive takes back what was counted.
func (f *Failures) Forgive(address netip.Addr) { f.buckets.give(address) }

func tooOften(wait time.Duration) error {
	if wait > 0 {
		return fault.NewTooManyRequests(wait)
	}
	return nil
}
