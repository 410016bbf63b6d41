package account

import (
	"context"
	"time"

	"oms.internal/libs/pace"
)

const (
	cleanUpInterval = time.Minute
	cleanUpBatch    = 1000
	// MinAuditRetention is how long audit events are kept at least, whatever the service asks for.
	MinAuditRetention = 30 * 24 * time.Hour
)

// CleanUp removes what has expired, in small batches, until ctx ends.
func (s *Service) CleanUp(ctx context.Context) error {
	pace.Every(ctx, cleanUpInterval, func() { s.cleanUpOnce(ctx) })
	return nil
}

func (s *Service) cleanUpOnce(ctx context.Context) {
	for _, sweep := range []struct {
		what   string
		age    time.Duration
		delete func(ctx context.Context, before time.Time, most int) (int, error)
	}{
		{"sessions", 0, s.deps.Store.DeleteExpiredSessions},
		{"refresh tokens", 0, s.deps.Store.DeleteExpiredRefreshTokens},
		{"tokens of drf-oms", 0, s.deps.Store.DeleteExpiredKnoxTokens},
		{"revocations", 0, s.deps.Store.DeleteExpiredRevocations},
		{"login failures", failuresKept, s.deps.Store.DeleteLoginFailures},
		{"known devices", devicesKept, s.deps.Store.DeleteKnownDevices},
		{"audit events", s.deps.AuditRetention, s.deps.Store.DeleteOldAuditEvents},
	} {
		for {
			deleted, err := sweep.delete(ctx, s.now().Add(-sweep.age), cleanUpBatch)
			if err != nil {
				s.deps.Log.WarnContext(ctx, "expired rows not removed", "of", sweep.what, "error", err)
			}
			if deleted < cleanUpBatch {
				break
			}
		}
	}
}
