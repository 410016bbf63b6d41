package account

import (
	"context"
	"time"
)

const (
	cleanUpInterval = time.Minute
	cleanUpBatch    = 1000
)

// CleanUp removes expired sessions, in small batches, until ctx ends.
func (s *Service) CleanUp(ctx context.Context) error {
	ticker := time.NewTicker(cleanUpInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			s.cleanUpOnce(ctx)
		}
	}
}

func (s *Service) cleanUpOnce(ctx context.Context) {
	for {
		deleted, err := s.Store.DeleteExpiredSessions(ctx, s.now(), cleanUpBatch)
		if err != nil {
			s.Log.WarnContext(ctx, "expired sessions not removed", "error", err)
		}
		if deleted < cleanUpBatch {
			return
		}
	}
}
