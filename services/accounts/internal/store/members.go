package store

import (
	"context"
	"math"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/fault"
)

// CreateMember stores the member and its first session.
func (s *Store) CreateMember(ctx context.Context, member account.Member, session account.Session, opening account.Opening) (account.Member, account.Session, error) {
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		id, err := queries.InsertMember(ctx, insertion(member))
		if err != nil {
			return emailTaken(err)
		}
		member.ID, session.MemberID = uint64(id), uint64(id)
		of := opening
		of.Attempt = opening.Attempt.Of(member.ID)
		of.Event.Actor, of.Event.Subject = member.ID, member.ID
		session.ID, err = openSession(ctx, queries, session, of)
		return err
	})
	return member, session, err
}

// CreateAdmin stores the member, or promotes the one that has its email.
func (s *Store) CreateAdmin(ctx context.Context, member account.Member, ending account.Ending) (created bool, revocations []account.Revocation, err error) {
	err = s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		created, revocations = false, nil
		row, err := queries.GetMemberByEmail(ctx, account.EmailKey(member.Email))
		if err := notFound(err); fault.Is(err, fault.NotFound) {
			created = true
			id, err := queries.InsertMember(ctx, insertion(member))
			if err != nil {
				return emailTaken(err)
			}
			return insertEvents(ctx, queries, about(uint64(id), ending.Events))
		} else if err != nil {
			return err
		}
		// Read again under a lock, or the update would undo what the member changes at this moment.
		if row, err = queries.GetMemberForUpdate(ctx, row.ID); err != nil {
			return notFound(err)
		}
		present := toMember(row)
		present.Admin, present.PasswordHash = true, member.PasswordHash
		if err := queries.UpdateMember(ctx, update(present)); err != nil {
			return err
		}
		mine := ending
		mine.Events = about(present.ID, ending.Events)
		revocations, err = endSessions(ctx, queries, present.ID, 0, mine)
		return err
	})
	return created, revocations, err
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
func (s *Store) UpdateMember(ctx context.Context, id uint64, change func(*account.Member) (account.Consequences, error)) (account.Member, []account.Revocation, error) {
	var member account.Member
	var revocations []account.Revocation
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		revocations = nil
		row, err := queries.GetMemberForUpdate(ctx, id)
		if err != nil {
			return notFound(err)
		}
		member = toMember(row)
		follows, err := change(&member)
		if err != nil {
			return err
		}
		if err := queries.UpdateMember(ctx, update(member)); err != nil {
			return emailTaken(err)
		}
		if !follows.EndsSessions {
			return insertEvents(ctx, queries, follows.Events)
		}
		revocations, err = endSessions(ctx, queries, id, follows.Except, follows.Ending)
		return err
	})
	return member, revocations, err
}

// DeleteMember removes the member, what is known of its devices and where its sessions came from.
func (s *Store) DeleteMember(ctx context.Context, id uint64, ending account.Ending) ([]account.Revocation, error) {
	var revocation account.Revocation
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		deleted, err := queries.DeleteMember(ctx, id)
		if err != nil {
			return err
		}
		if deleted == 0 {
			return fault.NewNotFound()
		}
		if err := queries.DeleteKnownDevicesOfMember(ctx, id); err != nil {
			return err
		}
		if err := queries.ForgetOriginsOfMember(ctx, id); err != nil {
			return err
		}
		if _, err := revokeSessions(ctx, queries, id, math.MaxInt64, 0, ending.At); err != nil {
			return err
		}
		revocation, err = revoke(ctx, queries, account.Revocation{MemberID: id, ThroughSession: math.MaxInt64}, ending)
		return err
	})
	if err != nil {
		return nil, err
	}
	return []account.Revocation{revocation}, nil
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
		PasswordHash: member.PasswordHash, IsAdmin: member.Admin, IsActive: member.Active,
	}
}
