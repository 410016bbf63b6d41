package testkit

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"oms.internal/libs/contracts/accounts"
)

// Revocations plays what accounts knows of revocations. The zero value knows of none.
type Revocations struct {
	mu    sync.Mutex
	all   []accounts.Revocation
	asked []uint64
	gone  error
}

// Add gives revocations the next numbers and returns the message that accounts would send about them.
func (r *Revocations) Add(revocations ...accounts.Revocation) accounts.Revocations {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range revocations {
		revocations[i].Sequence = uint64(len(r.all)) + 1
		r.all = append(r.all, revocations[i])
	}
	return accounts.Revocations{Revocations: revocations}
}

// Restore forgets all but the first ones, as the restoration of a backup does.
func (r *Revocations) Restore(count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = r.all[:count:count]
}

// Fail makes every request fail with err until Fail(nil).
func (r *Revocations) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = err
}

// Asked lists the numbers after which revocations were asked for.
func (r *Revocations) Asked() []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.asked)
}

// After answers what is revoked after a number.
func (r *Revocations) After(_ context.Context, after uint64) (accounts.Revocations, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone != nil {
		return accounts.Revocations{}, r.gone
	}
	r.asked = append(r.asked, after)
	latest := uint64(len(r.all))
	if after >= latest {
		return accounts.Revocations{Latest: latest}, nil
	}
	page := r.all[after:]
	if len(page) > accounts.MaxRevocations {
		page = page[:accounts.MaxRevocations]
		latest = page[len(page)-1].Sequence
	}
	return accounts.Revocations{Revocations: slices.Clone(page), Latest: latest}, nil
}

// ServeHTTP answers at PathRevocations.
func (r *Revocations) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	after, err := strconv.ParseUint(request.URL.Query().Get("after"), 10, 64)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	reply, err := r.After(request.Context(), after)
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}
