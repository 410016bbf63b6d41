package store

import (
	"context"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
)

// RevokeSession ends one session.
func (s *Store) RevokeSession(ctx context.Context, memberID, sessionID uint64, ending account.Ending) ([]account.Revocation, error) {
	var revocations []account.Revocation
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		revocations, err = endSession(ctx, queries, memberID, sessionID, ending)
		return err
	})
	return revocations, err
}

// RevokeSessions ends all sessions of a member. The lock on the member keeps logins out meanwhile, so that no session
// lies below the revoked id without being revoked.
func (s *Store) RevokeSessions(ctx context.Context, memberID uint64, ending account.Ending) ([]account.Revocation, error) {
	var revocations []account.Revocation
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		revocations = nil
		if _, err := queries.GetMemberForUpdate(ctx, memberID); err != nil {
			return notFound(err)
		}
		var err error
		revocations, err = endSessions(ctx, queries, memberID, 0, ending)
		return err
	})
	return revocations, err
}

// Revocations lists revocations that matter still. The counter is read first: what it says is committed, with everything
// below it, so a number that this list does not hold has expired and is not on its way. Gateways ask four times a second.
func (s *Store) Revocations(ctx context.Context, after uint64, now time.Time, most int) (revocations []account.Revocation, latest uint64, err error) {
	err = s.cluster.Poll(ctx, onReader(func(ctx context.Context, queries *sqlcgen.Queries) error {
		latest, err = queries.GetLatestRevocation(ctx)
		if err != nil || latest <= after {
			return err
		}
		rows, err := queries.ListRevocations(ctx, sqlcgen.ListRevocationsParams{After: after, Latest: latest, Now: now, Limit: int32(most)})
		revocations = make([]account.Revocation, len(rows))
		for i, row := range rows {
			revocations[i] = toRevocation(row)
		}
		if len(rows) == most {
			latest = rows[most-1].Sequence
		}
		return err
	}))
	return revocations, latest, err
}

// DeleteExpiredRevocations removes revocations whose last token expired before now.
func (s *Store) DeleteExpiredRevocations(ctx context.Context, now time.Time, most int) (int, error) {
	return s.sweep(ctx, now, (*sqlcgen.Queries).HasExpiredRevocations, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
		return queries.DeleteExpiredRevocations(ctx, sqlcgen.DeleteExpiredRevocationsParams{ValidUntil: now, Limit: int32(most)})
	})
}

// endSession ends one session; there is no revocation where it has ended already.
func endSession(ctx context.Context, queries *sqlcgen.Queries, memberID, sessionID uint64, ending account.Ending) ([]account.Revocation, error) {
	ended, err := queries.RevokeSession(ctx, sqlcgen.RevokeSessionParams{
		RevokedAt: toNullTime(ending.At), ID: sessionID, MemberID: memberID,
	})
	if err != nil || ended == 0 {
		return nil, err
	}
	// Read after the update, whose lock a refresh that was under way has left: its token is stored.
	row, err := queries.GetSessionForUpdate(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	revocation, err := revoke(ctx, queries, account.Revocation{
		SessionID: sessionID, Until: ending.Covering(toSession(row).TokenExpiresAt),
	}, ending)
	return []account.Revocation{revocation}, err
}

// endSessions ends all sessions of a locked member but one. The events are written even where no session was left.
func endSessions(ctx context.Context, queries *sqlcgen.Queries, memberID, except uint64, ending account.Ending) ([]account.Revocation, error) {
	latest, err := queries.GetLatestOfSessions(ctx, memberID)
	if err != nil {
		return nil, err
	}
	through := uint64(latest.ID)
	ended, err := revokeSessions(ctx, queries, memberID, through, except, ending.At)
	if err != nil {
		return nil, err
	}
	if ended == 0 {
		return nil, insertEvents(ctx, queries, ending.Events)
	}
	revocation, err := revoke(ctx, queries, account.Revocation{
		MemberID: memberID, ThroughSession: through, ExceptSession: except, Until: ending.Covering(latest.TokenExpiresAt),
	}, ending)
	return []account.Revocation{revocation}, err
}

func revokeSessions(ctx context.Context, queries *sqlcgen.Queries, memberID, through, except uint64, at time.Time) (int64, error) {
	return queries.RevokeSessionsOfMember(ctx, sqlcgen.RevokeSessionsOfMemberParams{
		RevokedAt: toNullTime(at), MemberID: memberID, Through: through, ExceptID: except,
	})
}

// revoke writes the events of an ending and its revocation. The sequence number comes last in the transaction: its row
// stays locked until the commit, and everybody who revokes waits for it.
func revoke(ctx context.Context, queries *sqlcgen.Queries, revocation account.Revocation, ending account.Ending) (account.Revocation, error) {
	if err := insertEvents(ctx, queries, ending.Events); err != nil {
		return account.Revocation{}, err
	}
	sequence, err := queries.NextRevocation(ctx)
	if err != nil {
		return account.Revocation{}, err
	}
	revocation.Sequence = uint64(sequence)
	return revocation, queries.InsertRevocation(ctx, sqlcgen.InsertRevocationParams{
		Sequence: revocation.Sequence, SessionID: revocation.SessionID, MemberID: revocation.MemberID,
		ThroughSession: revocation.ThroughSession, ExceptSession: revocation.ExceptSession, ValidUntil: revocation.Until,
	})
}

func toRevocation(row sqlcgen.Revocation) account.Revocation {
	return account.Revocation{
		Sequence: row.Sequence, SessionID: row.SessionID, MemberID: row.MemberID,
		ThroughSession: row.ThroughSession, ExceptSession: row.ExceptSession, Until: row.ValidUntil,
	}
}
