package account

import (
	"sync"

	"oms.internal/libs/fault"
)

// inProgress are the idempotent requests that this process is doing. The store knows of a request only from its transaction on;
// without this, every repetition of a sign-up whose password still waits to be hashed would wait with another hash.
type inProgress struct {
	mutex        sync.Mutex
	fingerprints map[Digest]bool
}

// begin notes that a request is being done until done is called. One that is being done already is a Conflict.
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
