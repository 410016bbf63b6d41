package store

import (
	"context"
	"database/sql"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/fault"
)

// CreateSession stores a session of a member that still is active. The lock on the member makes a deletion that runs at
// the same time either see the session or prevent it.
func (s *Store) CreateSession(ctx context.Context, member account.Member, session account.Session, rehashed string) (account.Session, error) {
	session.MemberID = member.ID
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetMemberForUpdate(ctx, member.ID)
		if err != nil {
			return notFound(err)
		}
		if !row.IsActive {
			return fault.NewForbidden()
		}
		if rehashed != "" {
			err := queries.UpdateMemberPasswordHash(ctx, sqlcgen.UpdateMemberPasswordHashParams{
				ID: member.ID, OldHash: member.PasswordHash, NewHash: rehashed,
			})
			if err != nil {
				return err
			}
		}
		session.ID, err = insertSession(ctx, queries, session)
		return err
	})
	return session, err
}

// RevokeSession ends one session.
func (s *Store) RevokeSession(ctx context.Context, memberID, sessionID uint64, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		return queries.RevokeSession(ctx, sqlcgen.RevokeSessionParams{
			RevokedAt: revokedAt(now), ID: sessionID, MemberID: memberID,
		})
	})
}

// RevokeSessions ends all sessions of a member. The lock on the member keeps logins out meanwhile, so that no session
// lies below the returned id without being revoked.
func (s *Store) RevokeSessions(ctx context.Context, memberID uint64, now time.Time) (through uint64, err error) {
	err = s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		if _, err := queries.GetMemberForUpdate(ctx, memberID); err != nil {
			return notFound(err)
		}
		latest, err := queries.GetLatestSessionID(ctx, memberID)
		if err != nil {
			return err
		}
		through = uint64(latest)
		return queries.RevokeSessionsOfMember(ctx, sqlcgen.RevokeSessionsOfMemberParams{
			RevokedAt: revokedAt(now), MemberID: memberID, Through: through,
		})
	})
	return through, err
}

// RevokedSessions lists revoked sessions whose tokens have not expired.
func (s *Store) RevokedSessions(ctx context.Context, after uint64, now time.Time, most int) ([]account.Session, error) {
	var sessions []account.Session
	err := s.read(ctx, account.Latest, func(ctx context.Context, queries *sqlcgen.Queries) error {
		rows, err := queries.ListRevokedSessions(ctx, sqlcgen.ListRevokedSessionsParams{ID: after, ExpiresAt: now, Limit: int32(most)})
		sessions = make([]account.Session, len(rows))
		for i, row := range rows {
			sessions[i] = account.Session{ID: row.ID, ExpiresAt: row.ExpiresAt}
		}
		return err
	})
	return sessions, err
}

// DeleteExpiredSessions removes sessions that expired before now.
func (s *Store) DeleteExpiredSessions(ctx context.Context, now time.Time, most int) (int, error) {
	var deleted int64
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		deleted, err = queries.DeleteExpiredSessions(ctx, sqlcgen.DeleteExpiredSessionsParams{ExpiresAt: now, Limit: int32(most)})
		return err
	})
	return int(deleted), err
}

func insertSession(ctx context.Context, queries *sqlcgen.Queries, session account.Session) (uint64, error) {
	id, err := queries.InsertSession(ctx, sqlcgen.InsertSessionParams{
		MemberID: session.MemberID, CreatedAt: session.CreatedAt, ExpiresAt: session.ExpiresAt,
	})
	return uint64(id), err
}

func revokedAt(now time.Time) sql.NullTime { return sql.NullTime{Time: now, Valid: true} }
