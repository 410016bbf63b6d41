package store

import (
	"context"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/mysqlx"
)

// request is what libs/idempotency knows a sign-up by. Whoever signs up is nobody yet.
func request(once account.Once) idempotency.Request {
	return idempotency.Request{CallerID: 0, Key: once.Key, Fingerprint: once.Fingerprint}
}

// Kept returns what was kept of a request with this key.
func (s *Store) Kept(ctx context.Context, once account.Once) ([]byte, error) {
	return idempotency.Find[mysqlx.Writer](ctx, s.cluster, request(once))
}

// DeleteKept removes what was kept of requests before a time.
func (s *Store) DeleteKept(ctx context.Context, before time.Time, most int) (int, error) {
	var removed int64
	err := s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) (err error) {
		removed, err = idempotency.Clean(ctx, writer, before, most)
		return err
	})
	return int(removed), err
}
