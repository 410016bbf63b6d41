package order

import (
	"context"
	"time"
)

const (
	// attemptsKept is how long an attempt is recognised when it is sent again.
	attemptsKept   = 24 * time.Hour
	forgetInterval = time.Minute
	forgetBatch    = 1000
)

// ForgetAttempts forgets old attempts, in small batches, until ctx ends.
func (s *Service) ForgetAttempts(ctx context.Context) error {
	ticker := time.NewTicker(forgetInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			s.forgetOnce(ctx)
		}
	}
}

func (s *Service) forgetOnce(ctx context.Context) {
	for forgotten := forgetBatch; forgotten == forgetBatch; {
		var err error
		if forgotten, err = s.deps.Store.ForgetAttempts(ctx, s.now().Add(-attemptsKept), forgetBatch); err != nil {
			s.deps.Log.WarnContext(ctx, "old attempts not forgotten", "error", err)
			return
		}
	}
}
