package store

import (
	"context"
	"errors"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/mysqlx"
)

// request is what libs/idempotency knows a sign-up by. Whoever signs up is nobody yet.
func request(once account.Once) idempotency.Request {
	return idempotency.Request{CallerID: 0, Key: once.Key, Fingerprint: once.Fingerprint}
}

// errNew gives the claim back.
var errNew = errors.New("a request that was not made before")

// Kept returns what was kept of a request with this key. It claims the key and gives it back, instead of only looking, so
// that it waits for a request that is being done, and so that what the answer tells is covered by a token.
func (s *Store) Kept(ctx context.Context, once account.Once) ([]byte, error) {
	var kept []byte
	err := s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) (err error) {
		kept, err = idempotency.Claim(ctx, writer, request(once), once.At)
		if kept == nil && err == nil {
			return errNew
		}
		return err
	})
	if errors.Is(err, errNew) {
		return nil, nil
	}
	return kept, err
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
