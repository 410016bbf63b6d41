package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/audit"
	"oms.internal/libs/fault"
)

// CreateSession stores a session of a member that still is active and has the password that was verified. Because of
// the lock on the member, whatever ends sessions meanwhile either ends this one or comes first, and then this one is refused. What is
// returned of the member is what the session's token may say.
func (s *Store) CreateSession(
	ctx context.Context, verified account.Member, session account.Session, record account.LoginRecord,
) (member account.Member, opened account.Session, err error) {
	session.MemberID = verified.ID
	err = s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetMemberForUpdate(ctx, verified.ID)
		if err != nil {
			return notFound(err)
		}
		if !row.IsActive {
			return fault.NewForbidden()
		}
		if row.PasswordHash != verified.PasswordHash {
			return account.ErrPasswordChanged
		}
		member = toMember(row)
		if record.Rehashed != "" {
			err := queries.UpdateMemberPasswordHash(ctx, sqlcgen.UpdateMemberPasswordHashParams{
				ID: member.ID, OldHash: member.PasswordHash, NewHash: record.Rehashed,
			})
			if err != nil {
				return err
			}
			member.PasswordHash = record.Rehashed
			member.Version++
		}
		session.ID, err = openSession(ctx, queries, session, record)
		return err
	})
	return member, session, err
}

// openSession stores a session with its refresh token, its device and its event.
func openSession(ctx context.Context, queries *sqlcgen.Queries, session account.Session, record account.LoginRecord) (uint64, error) {
	if err := admit(ctx, queries, record, session.CreatedAt); err != nil {
		return 0, err
	}
	id, err := queries.InsertSession(ctx, sqlcgen.InsertSessionParams{
		MemberID: session.MemberID, CreatedAt: session.CreatedAt, ExpiresAt: session.ExpiresAt,
		TokenExpiresAt: toNullTime(session.TokenExpiresAt), LastSeenAt: toNullTime(session.LastSeenAt), Address: session.Address, UserAgent: session.UserAgent,
	})
	if err != nil {
		return 0, err
	}
	record.Refresh.SessionID = uint64(id)
	if err := insertRefreshToken(ctx, queries, record.Refresh); err != nil {
		return 0, err
	}
	record.Event.Detail = audit.AboutSession(uint64(id))
	return uint64(id), insertEvents(ctx, queries, []audit.Event{record.Event})
}

// Session returns one session, live or not.
func (s *Store) Session(ctx context.Context, id uint64) (account.Session, error) {
	var session account.Session
	err := s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetSession(ctx, id)
		session = toSession(row)
		return notFound(err)
	})
	return session, err
}

// timeText is how both servers read a time from a text.
const timeText = "2006-01-02 15:04:05.000000"

// MarkLastSeen notes when sessions were used, all in one statement.
func (s *Store) MarkLastSeen(ctx context.Context, seen map[uint64]time.Time) error {
	var params sqlcgen.UpdateSessionsSeenParams
	for id, at := range seen {
		params.Ids = append(params.Ids, id)
		params.Positions = append(params.Positions, strconv.FormatUint(id, 10))
		params.Times = append(params.Times, at.UTC().Format(timeText))
	}
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		return queries.UpdateSessionsSeen(ctx, params)
	})
}

// toSession takes a session that a process of the version before opened to have tokens as long as it lives: they are not valid
// for longer.
func toSession(row sqlcgen.Session) account.Session {
	tokenExpiresAt := row.ExpiresAt
	if row.TokenExpiresAt.Valid {
		tokenExpiresAt = row.TokenExpiresAt.Time
	}
	return account.Session{
		TokenExpiresAt: tokenExpiresAt,
		ID:             row.ID, MemberID: row.MemberID, CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, LastSeenAt: row.LastSeenAt.Time,
		Address: row.Address, UserAgent: row.UserAgent, Revoked: row.RevokedAt.Valid,
	}
}

// toNullTime keeps the zero time as NULL.
func toNullTime(at time.Time) sql.NullTime { return sql.NullTime{Time: at, Valid: !at.IsZero()} }
