package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/audit"
)

// RedeemRefreshToken judges a refresh token under the locks of its member, its session and itself, in the order in which every
// transaction takes them. Two presentations of one token wait for each other at the member.
func (s *Store) RedeemRefreshToken(
	ctx context.Context, hash account.Digest, successor func(account.RefreshToken) account.Digest,
	decide func(account.Presented) account.Verdict,
) ([]account.Revocation, error) {
	// Whose it is never changes, so that can be asked before the transaction, which then only reads what it locks.
	var memberID uint64
	err := s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		memberID, err = queries.GetMemberIDOfRefreshToken(ctx, hash[:])
		return notFound(err)
	})
	if err != nil {
		return nil, err
	}
	var revocations []account.Revocation
	err = s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		revocations = nil
		presented, err := presentedToken(ctx, queries, memberID, hash, successor)
		if err != nil {
			return notFound(err)
		}
		verdict := decide(presented)
		switch {
		case verdict.Next != nil:
			return follow(ctx, queries, presented, verdict)
		case verdict.End != nil:
			revocations, err = endSession(ctx, queries, memberID, presented.Session.ID, *verdict.End)
		}
		return err
	})
	return revocations, err
}

func presentedToken(
	ctx context.Context, queries *sqlcgen.Queries, memberID uint64, hash account.Digest,
	successor func(account.RefreshToken) account.Digest,
) (account.Presented, error) {
	member, err := queries.GetMemberForUpdate(ctx, memberID)
	if err != nil {
		return account.Presented{}, err
	}
	token, err := queries.GetRefreshTokenForUpdate(ctx, hash[:])
	if err != nil {
		return account.Presented{}, err
	}
	session, err := queries.GetSessionForUpdate(ctx, token.SessionID)
	if err != nil {
		return account.Presented{}, err
	}
	presented := account.Presented{Member: toMember(member), Session: toSession(session), Token: toRefreshToken(token)}
	if !token.UsedAt.Valid {
		return presented, nil
	}
	next := successor(presented.Token)
	row, err := queries.GetRefreshTokenForUpdate(ctx, next[:])
	if errors.Is(err, sql.ErrNoRows) {
		return presented, nil
	}
	if err != nil {
		return account.Presented{}, err
	}
	following := toRefreshToken(row)
	presented.Successor = &following
	return presented, nil
}

// follow stores the successor of a token where it is a new one, and lets the session live on.
func follow(ctx context.Context, queries *sqlcgen.Queries, presented account.Presented, verdict account.Verdict) error {
	next, used := *verdict.Next, presented.Token.Hash[:]
	if presented.Successor == nil {
		err := queries.UseRefreshToken(ctx, sqlcgen.UseRefreshTokenParams{
			UsedAt: toNullTime(verdict.At), UsedBy: sql.NullString{String: string(verdict.By[:]), Valid: true}, TokenHash: used,
		})
		if err != nil {
			return err
		}
		if err := insertRefreshToken(ctx, queries, next); err != nil {
			return err
		}
	}
	if verdict.Repeat != nil {
		if err := queries.ForgetUserOfRefreshToken(ctx, used); err != nil {
			return err
		}
		if err := insertEvents(ctx, queries, []audit.Event{*verdict.Repeat}); err != nil {
			return err
		}
	}
	return queries.ExtendSession(ctx, sqlcgen.ExtendSessionParams{
		TokenExpiresAt: verdict.TokenExpiresAt, ExpiresAt: next.ExpiresAt, ID: next.SessionID,
	})
}

func insertRefreshToken(ctx context.Context, queries *sqlcgen.Queries, token account.RefreshToken) error {
	return queries.InsertRefreshToken(ctx, sqlcgen.InsertRefreshTokenParams{
		TokenHash: token.Hash[:], SessionID: token.SessionID, Salt: token.Salt, ExpiresAt: token.ExpiresAt,
		IssuedUnder: sql.NullString{String: string(token.IssuedUnder[:]), Valid: true},
	})
}

func toRefreshToken(row sqlcgen.RefreshToken) account.RefreshToken {
	token := account.RefreshToken{
		Hash: account.Digest(row.TokenHash), SessionID: row.SessionID, Salt: row.Salt, ExpiresAt: row.ExpiresAt, UsedAt: row.UsedAt.Time,
	}
	copy(token.UsedBy[:], row.UsedBy.String)
	copy(token.IssuedUnder[:], row.IssuedUnder.String)
	return token
}

// DeleteExpiredRefreshTokens removes tokens that expired before now.
func (s *Store) DeleteExpiredRefreshTokens(ctx context.Context, now time.Time, most int) (int, error) {
	return s.sweep(ctx, now, (*sqlcgen.Queries).HasExpiredRefreshTokens, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
		return queries.DeleteExpiredRefreshTokens(ctx, sqlcgen.DeleteExpiredRefreshTokensParams{ExpiresAt: now, Limit: int32(most)})
	})
}

// DeleteExpiredSessions removes sessions that expired before now.
func (s *Store) DeleteExpiredSessions(ctx context.Context, now time.Time, most int) (int, error) {
	return s.sweep(ctx, now, (*sqlcgen.Queries).HasExpiredSessions, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
		return queries.DeleteExpiredSessions(ctx, sqlcgen.DeleteExpiredSessionsParams{ExpiresAt: now, Limit: int32(most)})
	})
}
