package token

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// maxWaiting bounds how many requests wait for a key at the same time, and so the memory that they hold.
	maxWaiting = 1000
	// absentFor is how long a key that a fetch did not bring counts as one that does not exist. So a client with an old token
	// is answered at once.
	absentFor = time.Second
)

var errTooManyWaiting = errors.New("too many requests wait for signing keys")

// unknownKeys lets requests that name unknown keys wait for the next fetches, all for the same ones.
type unknownKeys struct {
	now   func() time.Time
	asked chan struct{} // holds a value while somebody waits for a fetch that has not begun

	mu      sync.Mutex
	waiting int
	begun   int           // fetches that have begun
	done    int           // fetches that have ended; they follow one another
	ended   chan struct{} // closed when the next one has ended
	last    error         // of the last fetch that ended
	absent  map[string]struct{}
	until   time.Time // how long absent holds
}

func newUnknownKeys(now func() time.Time) *unknownKeys {
	return &unknownKeys{
		now: now, asked: make(chan struct{}, 1), ended: make(chan struct{}), absent: map[string]struct{}{},
	}
}

// begin notes that a fetch begins. The returned function notes its end.
func (u *unknownKeys) begin() (finish func(error)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.begun++
	select {
	case <-u.asked: // whoever asked until now is served by this fetch
	default:
	}
	return func(err error) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.done, u.last = u.begun, err
		clear(u.absent)
		u.until = u.now().Add(absentFor)
		close(u.ended)
		u.ended = make(chan struct{})
	}
}

// isAbsent reports whether the last fetch has just shown that there is no such key.
func (u *unknownKeys) isAbsent(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, absent := u.absent[id]
	return absent && u.now().Before(u.until)
}

// wait returns nil once found reports true after a fetch, or once a fetch that began after the call has succeeded. Otherwise its
// error says why it is not known whether there is such a key.
func (u *unknownKeys) wait(ctx context.Context, id string, found func() bool) error {
	begunBefore, err := u.enter()
	if err != nil {
		return err
	}
	defer u.leave()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-u.next(begunBefore):
		}
		if found() {
			return nil
		}
		if concluded, err := u.conclude(id, begunBefore); concluded {
			return err
		}
	}
}

// next returns what is closed at the end of the next fetch, and asks for one unless one has begun since.
func (u *unknownKeys) next(begunBefore int) <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.begun == begunBefore {
		select {
		case u.asked <- struct{}{}:
		default:
		}
	}
	return u.ended
}

func (u *unknownKeys) enter() (begunBefore int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.waiting >= maxWaiting {
		return 0, errTooManyWaiting
	}
	u.waiting++
	return u.begun, nil
}

func (u *unknownKeys) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.waiting--
}

// conclude ends the wait if the fetch that has ended began after it, and remembers a key that it did not bring. There
// are at most as many of those as requests that wait.
func (u *unknownKeys) conclude(id string, begunBefore int) (bool, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done <= begunBefore {
		return false, nil
	}
	if u.last == nil {
		u.absent[id] = struct{}{}
	}
	return true, u.last
}
