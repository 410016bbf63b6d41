package store

import (
	"context"
	"math"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/fault"
)

// CreateMember stores the member and its first session.
func (s *Store) CreateMember(ctx context.Context, member account.Member, session account.Session) (account.Member, account.Session, error) {
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		id, err := queries.InsertMember(ctx, insertion(member))
		if err != nil {
			return emailTaken(err)
		}
		member.ID, session.MemberID = uint64(id), uint64(id)
		session.ID, err = insertSession(ctx, queries, session)
		return err
	})
	return member, session, err
}

// CreateAdmin stores the member, or promotes the one that has its email.
func (s *Store) CreateAdmin(ctx context.Context, member account.Member) (created bool, err error) {
	err = s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetMemberByEmail(ctx, account.EmailKey(member.Email))
		if err := notFound(err); fault.Is(err, fault.NotFound) {
			created = true
			_, err = queries.InsertMember(ctx, insertion(member))
			return emailTaken(err)
		} else if err != nil {
			return err
		}
		created = false
		// Read again under a lock, or the update would undo what the member changes at this moment.
		if row, err = queries.GetMemberForUpdate(ctx, row.ID); err != nil {
			return notFound(err)
		}
		present := toMember(row)
		present.Admin, present.PasswordHash = true, member.PasswordHash
		return queries.UpdateMember(ctx, update(present))
	})
	return created, err
}

// Member returns one member.
func (s *Store) Member(ctx context.Context, id uint64) (account.Member, error) {
	var row sqlcgen.Member
	err := s.read(ctx, account.Latest, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		row, err = queries.GetMember(ctx, id)
		return notFound(err)
	})
	return toMember(row), err
}

// MemberByEmail returns the member with this email, whatever its case.
func (s *Store) MemberByEmail(ctx context.Context, email string) (account.Member, error) {
	var row sqlcgen.Member
	err := s.read(ctx, account.Latest, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		row, err = queries.GetMemberByEmail(ctx, account.EmailKey(email))
		return notFound(err)
	})
	return toMember(row), err
}

// UpdateMember lets change alter the locked member and stores it.
func (s *Store) UpdateMember(ctx context.Context, id uint64, change func(*account.Member) error) (account.Member, error) {
	var member account.Member
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetMemberForUpdate(ctx, id)
		if err != nil {
			return notFound(err)
		}
		member = toMember(row)
		if err := change(&member); err != nil {
			return err
		}
		return emailTaken(queries.UpdateMember(ctx, update(member)))
	})
	return member, err
}

// DeleteMember removes the member and revokes its sessions.
func (s *Store) DeleteMember(ctx context.Context, id uint64, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		deleted, err := queries.DeleteMember(ctx, id)
		if err != nil {
			return err
		}
		if deleted == 0 {
			return fault.NewNotFound()
		}
		return queries.RevokeSessionsOfMember(ctx, sqlcgen.RevokeSessionsOfMemberParams{
			RevokedAt: revokedAt(now), MemberID: id, Through: math.MaxInt64,
		})
	})
}

func insertion(member account.Member) sqlcgen.InsertMemberParams {
	return sqlcgen.InsertMemberParams{
		Email: member.Email, EmailKey: account.EmailKey(member.Email), Name: member.Name, Nickname: member.Nickname,
		Phone: member.Phone, Gender: toGender(member.Gender), PasswordHash: member.PasswordHash,
		IsAdmin: member.Admin, IsActive: member.Active, CreatedAt: member.CreatedAt,
	}
}

func update(member account.Member) sqlcgen.UpdateMemberParams {
	return sqlcgen.UpdateMemberParams{
		ID: member.ID, Email: member.Email, EmailKey: account.EmailKey(member.Email), Name: member.Name,
		Nickname: member.Nickname, Phone: member.Phone, Gender: toGender(member.Gender),
		PasswordHash: member.PasswordHash, IsAdmin: member.Admin,
	}
}
