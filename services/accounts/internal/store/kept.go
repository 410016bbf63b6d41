package store

import (
	"context"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/idempotency"
)

// request is what libs/idempotency knows a sign-up by. Whoever signs up is nobody yet.
func request(once account.Once) idempotency.Request {
	return idempotency.Request{CallerID: 0, Key: once.Key, Fingerprint: once.Fingerprint}
}

// Kept returns what was kept of a request with this key.
func (s *Store) Kept(ctx context.Context, once account.Once) ([]byte, error) {
	return idempotency.Find(ctx, s.cluster, request(once))
}
