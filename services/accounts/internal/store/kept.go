package store

import (
	"context"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/idempotency"
)

// idempotent is what libs/idempotency knows a sign-up by. Whoever signs up is no member yet, so the caller is 0.
func idempotent(request account.IdempotentRequest) idempotency.Request {
	return idempotency.Request{CallerID: 0, Key: request.Key, Fingerprint: request.Fingerprint}
}

// Kept returns what was kept of a request with this key.
func (s *Store) Kept(ctx context.Context, request account.IdempotentRequest) ([]byte, error) {
	return idempotency.Find(ctx, s.cluster, idempotent(request))
}
