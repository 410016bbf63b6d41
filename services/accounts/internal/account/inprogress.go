package account

import (
	"sync"

	"oms.internal/libs/fault"
)

// inProgress holds the idempotent requests that this process is working on. The store knows a request only once its transaction
// has begun. Before that, its password waits to be hashed, and each repetition would wait with a hash of its own.
type inProgress struct {
	mutex        sync.Mutex
	fingerprints map[Digest]bool
}

// begin notes a request as in progress until done is called. A request that is in progress already is a Conflict.
func (p *inProgress) begin(fingerprint Digest) (done func(), err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.fingerprints[fingerprint] {
		return nil, fault.NewInProgress(nil)
	}
	p.fingerprints[fingerprint] = true
	return func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		delete(p.fingerprints, fingerprint)
	}, nil
}
