package ordertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"oms.internal/orders/internal/order"
)

// Accounts is order.Members with fixed answers. It keeps what it was asked.
type Accounts struct {
	Members   map[uint64]order.Member
	Matches   [][]uint64
	Truncated bool
	Failure   error
	// MatchFailure is a Failure of Match alone.
	MatchFailure error

	Asked    []any           // ids, and Questions
	Patience []time.Duration // of those questions that have a deadline
	mutex    sync.Mutex
}

// Question is what Match was asked.
type Question struct {
	Terms []string
	Among uint64
}

func (a *Accounts) note(ctx context.Context, question any) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.Asked = append(a.Asked, question)
	if deadline, bounded := ctx.Deadline(); bounded {
		a.Patience = append(a.Patience, time.Until(deadline))
	}
}

// Member returns what is known of a member.
func (a *Accounts) Member(ctx context.Context, id uint64) (order.Member, error) {
	a.note(ctx, id)
	return a.Members[id], a.Failure
}

// Match returns the fixed answer.
func (a *Accounts) Match(ctx context.Context, terms []string, among uint64) ([][]uint64, bool, error) {
	a.note(ctx, Question{terms, among})
	return a.Matches, a.Truncated, errors.Join(a.Failure, a.MatchFailure)
}
