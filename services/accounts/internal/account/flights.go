package account

import (
	"sync"

	"oms.internal/libs/fault"
)

// flights are the keyed requests that this process is doing. The store knows of a request only from its transaction on;
// without this, every repetition of a sign-up whose password still waits to be hashed would wait with another hash.
type flights struct {
	mutex sync.Mutex
	now   map[Digest]bool
}

// begin notes that a request is being done until land is called. One that is being done already is a Conflict.
func (f *flights) begin(fingerprint Digest) (land func(), err error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.now[fingerprint] {
		return nil, fault.NewInProgress(nil)
	}
	f.now[fingerprint] = true
	return func() {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		delete(f.now, fingerprint)
	}, nil
}
