package store

import (
	"context"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
)

// SessionOfKnoxToken returns the session of a token of drf-oms, with its member. It asks the primary, because whoever asks remembers
// the answer and would remember that of a replica for longer than the replica is behind.
func (s *Store) SessionOfKnoxToken(ctx context.Context, digest account.KnoxDigest) (session account.Session, member account.Member, err error) {
	err = s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetSessionOfKnoxToken(ctx, digest[:])
		session = toSession(row.Session)
		member = account.Member{ID: row.Session.MemberID, Admin: row.IsAdmin, Active: row.IsActive}
		return notFound(err)
	})
	return session, member, err
}

// DeleteExpiredKnoxTokens removes tokens that expired before now.
func (s *Store) DeleteExpiredKnoxTokens(ctx context.Context, now time.Time, most int) (int, error) {
	return s.sweep(ctx, now, (*sqlcgen.Queries).HasExpiredKnoxTokens, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
		return queries.DeleteExpiredKnoxTokens(ctx, sqlcgen.DeleteExpiredKnoxTokensParams{ExpiresAt: now, Limit: int32(most)})
	})
}
