// Package password hashes and checks passwords: new ones with argon2id, and those that come from a Django database with
// its PBKDF2.
//
// Hashing is the most expensive thing that anyone may ask for, so it is bounded and shared. One hash is computed at a time for
// each core but one (at least one, at most MaxParallel). A bounded number of others waits in line until their request's
// deadline, and households (an address of IPv4, a /56 of IPv6) take turns there: one that asks without end has others wait for one of its hashes, not for all. A
// household that has half of the places, or more than are free, is refused at once.
package password

import (
	"context"
	"runtime"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fairshare"
)

// MaxParallel bounds the memory: each argon2id hash in work takes 19 MiB.
const MaxParallel = 2

// maxWaiting is how many wait in line for each slot. A hash takes about 30 ms, so the last one waits a second; a household alone
// has half of the places.
const maxWaiting = 32

// Hasher is safe for concurrent use.
type Hasher struct {
	line *fairshare.Line[string]
}

// NewHasher returns a hasher for this machine.
func NewHasher() *Hasher { return newHasher(slotsFor(runtime.GOMAXPROCS(0))) }

func newHasher(parallel int) *Hasher {
	return &Hasher{line: fairshare.NewLine[string](fairshare.LineOptions{
		Resource: "password_hash", Running: parallel, Waiting: parallel * maxWaiting,
	})}
}

// Collectors are the metrics of the line, to be registered once.
func (h *Hasher) Collectors() []prometheus.Collector { return h.line.Collectors() }

// slotsFor leaves one core to all other requests: a core that hashes answers nothing else.
func slotsFor(cores int) int { return max(1, min(MaxParallel, cores-1)) }

// Hash returns the hash of a password's normal form in PHC string format, for a client of this household. It fails with
// TooManyRequests where too many of the household wait, and with Unavailable where too many wait or no slot is free in time.
func (h *Hasher) Hash(ctx context.Context, household, password string) (string, error) {
	release, err := h.acquire(ctx, household, 1)
	if err != nil {
		return "", err
	}
	defer release()
	return hashArgon2id(account.NormalPassword(password))
}

// Verify reports whether password belongs to hash, and whether hash should be made anew. Older hashes, and Django's, were made
// of the password as it was sent. So where that is not its normal form, it is the second one that is tried, in the same slot.
// Such a password takes two places in line, whether or not the second hash is needed: what is refused depends on what was sent,
// not on what is stored. The empty hash belongs to no password and costs the same time as one from Hash. Verify fails as Hash
// does.
func (h *Hasher) Verify(ctx context.Context, household, hash, password string) (ok, outdated bool, err error) {
	forms := []string{account.NormalPassword(password)}
	if forms[0] != password {
		forms = append(forms, password)
	}
	release, err := h.acquire(ctx, household, len(forms))
	if err != nil {
		return false, false, err
	}
	defer release()
	for i, form := range forms {
		if i > 0 {
			runtime.GC() // see acquire
		}
		ok, outdated, err = h.verify(hash, form)
		if ok || err != nil {
			return ok, outdated || i > 0, err
		}
	}
	return false, outdated, nil
}

func (h *Hasher) verify(hash, password string) (ok, outdated bool, err error) {
	switch {
	case hash == "":
		_, _, err := verifyArgon2id(unknownHash, password)
		return false, false, err
	case strings.HasPrefix(hash, djangoPrefix):
		ok, err := verifyDjango(hash, password)
		return ok, true, err
	default:
		return verifyArgon2id(hash, password)
	}
}

// Ready returns the fault with which Hash and Verify would refuse a client of this household at once, because too many wait.
func (h *Hasher) Ready(household string) error { return h.line.Ready(household) }

// acquire waits for a slot with so many places in line, which release gives back.
func (h *Hasher) acquire(ctx context.Context, household string, places int) (release func(), err error) {
	leave, err := h.line.Enter(ctx, household, places)
	if err != nil {
		return nil, err
	}
	return func() {
		// The next hash takes the memory of this one. Without the collection both are held, since 19 MiB a hash become
		// garbage faster than the collector starts by itself: the runtime then holds 63 MiB at most instead of 44 with two
		// slots, and 44 instead of 25 with one (BenchmarkHashesInParallel). The process has 64.
		runtime.GC()
		leave()
	}, nil
}
