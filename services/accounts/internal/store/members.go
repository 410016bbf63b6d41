package store

import (
	"context"
	"math"
	"slices"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
)

// CreateMember stores the member, its first session and, where once bears a key, what is kept of them.
func (s *Store) CreateMember(
	ctx context.Context, member account.Member, session account.Session, record account.LoginRecord, request account.IdempotentRequest,
) (kept []byte, err error) {
	answer, replayed, err := idempotency.Once(ctx, s.cluster, idempotent(request), request.At,
		func(ctx context.Context, writer mysqlx.Writer) ([]byte, error) {
			return create(ctx, writer, member, session, record, request)
		})
	if !replayed {
		return nil, err
	}
	return answer, nil
}

func create(
	ctx context.Context, writer mysqlx.Writer, member account.Member, session account.Session, record account.LoginRecord, request account.IdempotentRequest,
) (answer []byte, err error) {
	queries := sqlcgen.New(writer)
	if member.ID, err = insert(ctx, writer, member); err != nil {
		return nil, err
	}
	member.Version, session.MemberID = 1, member.ID
	record.Attempt = record.Attempt.Of(member.ID)
	record.Event.Actor, record.Event.Subject = member.ID, member.ID
	if session.ID, err = openSession(ctx, queries, session, record); err != nil {
		return nil, err
	}
	if err := appendEvent(ctx, writer, accounts.EventCreated, member, member.CreatedAt); err != nil {
		return nil, err
	}
	return request.Answer(member, session)
}

func insert(ctx context.Context, writer mysqlx.Writer, member account.Member) (uint64, error) {
	id, err := sqlcgen.New(writer).InsertMember(ctx, insertion(member))
	if err != nil {
		return 0, emailTaken(err)
	}
	return uint64(id), addGrams(ctx, writer, uint64(id))
}

// CreateAdmin stores the member, or promotes the one that has its email.
func (s *Store) CreateAdmin(ctx context.Context, member account.Member, ending account.Ending) (created bool, revocations []account.Revocation, err error) {
	holder, err := s.MemberByEmail(ctx, member.Email)
	if fault.Is(err, fault.NotFound) {
		return true, nil, s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
			return createAdmin(ctx, writer, member, ending)
		})
	}
	if err != nil {
		return false, nil, err
	}
	err = s.locked(ctx, holder.ID, func(ctx context.Context, writer mysqlx.Writer, before account.Member) (err error) {
		if before.Email != holder.Email {
			return fault.NewNotFound() // the member took another email meanwhile
		}
		present := before
		present.Admin, present.PasswordHash = true, member.PasswordHash
		if err := store(ctx, writer, before, &present, ending.At); err != nil {
			return err
		}
		mine := ending
		mine.Events = about(present.ID, ending.Events)
		revocations, err = endSessions(ctx, sqlcgen.New(writer), present.ID, 0, mine)
		return err
	})
	return false, revocations, err
}

func createAdmin(ctx context.Context, writer mysqlx.Writer, member account.Member, ending account.Ending) (err error) {
	queries := sqlcgen.New(writer)
	if member.ID, err = insert(ctx, writer, member); err != nil {
		return err
	}
	member.Version = 1
	if err := appendEvent(ctx, writer, accounts.EventCreated, member, member.CreatedAt); err != nil {
		return err
	}
	return insertEvents(ctx, queries, about(member.ID, ending.Events))
}

// store writes what was changed of a locked member, if anything was, and counts its version.
func store(ctx context.Context, writer mysqlx.Writer, before account.Member, member *account.Member, at time.Time) error {
	if *member == before {
		return nil
	}
	if err := sqlcgen.New(writer).UpdateMember(ctx, update(*member)); err != nil {
		return emailTaken(err)
	}
	if member.Name != before.Name || member.Email != before.Email {
		if err := changeGrams(ctx, writer, member.ID); err != nil {
			return err
		}
	}
	member.Version++
	return appendEvent(ctx, writer, accounts.EventChanged, *member, at)
}

// Member returns one member, from a replica that has what ctx must see where there is one.
func (s *Store) Member(ctx context.Context, id uint64) (account.Member, error) {
	return member(ctx, id, s.cluster.ReadThrough)
}

// LatestMember returns one member from the primary.
func (s *Store) LatestMember(ctx context.Context, id uint64) (account.Member, error) {
	return member(ctx, id, s.cluster.ReadLatest)
}

func member(
	ctx context.Context, id uint64, read func(context.Context, func(context.Context, mysqlx.Reader) error) error,
) (account.Member, error) {
	var row sqlcgen.Member
	err := read(ctx, onReader(func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		row, err = queries.GetMember(ctx, id)
		return notFound(err)
	}))
	return toMember(row), err
}

// MemberByEmail returns the member whom an email names.
func (s *Store) MemberByEmail(ctx context.Context, email string) (member account.Member, err error) {
	err = s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		members, err := withMailbox(ctx, queries, email)
		if err != nil {
			return err
		}
		var found bool
		if member, found = account.Holder(email, members); !found {
			return fault.NewNotFound()
		}
		return nil
	})
	return member, err
}

// withMailbox returns all members whose mailbox an email names. There are several only where they were there before mailboxes
// were unique.
func withMailbox(ctx context.Context, queries *sqlcgen.Queries, email string) ([]account.Member, error) {
	rows, err := queries.ListMembersByMailbox(ctx, sqlcgen.ListMembersByMailboxParams{
		Mailbox: toMailbox(email), EmailKeys: account.EmailKeys(email),
	})
	var members []account.Member
	for _, row := range rows {
		known := slices.ContainsFunc(members, func(member account.Member) bool { return member.ID == row.ID })
		if !known && account.SameMailbox(email, row.Email) {
			members = append(members, toMember(row))
		}
	}
	return members, err
}

// locked runs work on a member that nobody else changes meanwhile, in a transaction that an error rolls back.
func (s *Store) locked(
	ctx context.Context, id uint64, work func(ctx context.Context, writer mysqlx.Writer, member account.Member) error,
) error {
	return s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		row, err := sqlcgen.New(writer).GetMemberForUpdate(ctx, id)
		if err != nil {
			return notFound(err)
		}
		return work(ctx, writer, toMember(row))
	})
}

// UpdateMember lets change alter the locked member and stores it.
func (s *Store) UpdateMember(ctx context.Context, id uint64, change func(*account.Member) (account.Consequences, error)) (account.Member, []account.Revocation, error) {
	var member account.Member
	var revocations []account.Revocation
	err := s.locked(ctx, id, func(ctx context.Context, writer mysqlx.Writer, before account.Member) error {
		member, revocations = before, nil
		follows, err := change(&member)
		if err != nil {
			return err
		}
		if err := store(ctx, writer, before, &member, follows.At); err != nil {
			return err
		}
		queries := sqlcgen.New(writer)
		if !follows.EndsSessions {
			return insertEvents(ctx, queries, follows.Events)
		}
		revocations, err = endSessions(ctx, queries, id, follows.Except, follows.Ending)
		return err
	})
	return member, revocations, err
}

// DeleteMember removes the member, what is known of its devices and where its sessions came from.
func (s *Store) DeleteMember(
	ctx context.Context, id uint64, allow func(account.Member) error, ending account.Ending,
) ([]account.Revocation, error) {
	var revocation account.Revocation
	err := s.locked(ctx, id, func(ctx context.Context, writer mysqlx.Writer, member account.Member) (err error) {
		if err := allow(member); err != nil {
			return err
		}
		revocation, err = remove(ctx, writer, member, ending)
		return err
	})
	if err != nil {
		return nil, err
	}
	return []account.Revocation{revocation}, nil
}

// remove removes a locked member.
func remove(ctx context.Context, writer mysqlx.Writer, member account.Member, ending account.Ending) (account.Revocation, error) {
	none := account.Revocation{}
	if err := removeGrams(ctx, writer, member.ID); err != nil {
		return none, err
	}
	queries := sqlcgen.New(writer)
	for _, remove := range []func(context.Context, uint64) error{
		queries.DeleteMember, queries.DeleteKnownDevicesOfMember, queries.ForgetOriginsOfMember,
	} {
		if err := remove(ctx, member.ID); err != nil {
			return none, err
		}
	}
	if err := listsql.Note(ctx, writer, MemberList, listsql.Move{Row: member.ID, Gained: -1}); err != nil {
		return none, err
	}
	member.Version++ // the end is a change, too
	if err := appendEvent(ctx, writer, accounts.EventDeleted, member, ending.At); err != nil {
		return none, err
	}
	if _, err := revokeSessions(ctx, queries, member.ID, math.MaxInt64, 0, ending.At); err != nil {
		return none, err
	}
	latest, err := queries.GetLatestOfSessions(ctx, member.ID)
	if err != nil {
		return none, err
	}
	return revoke(ctx, queries, account.Revocation{
		MemberID: member.ID, ThroughSession: math.MaxInt64, Until: ending.Covering(latest.TokenExpiresAt),
	}, ending)
}

func insertion(member account.Member) sqlcgen.InsertMemberParams {
	return sqlcgen.InsertMemberParams{
		Email: member.Email, EmailKey: account.EmailKey(member.Email), Mailbox: toMailbox(member.Email), Name: member.Name,
		Nickname: member.Nickname, Phone: member.Phone, Gender: toGender(member.Gender), PasswordHash: member.PasswordHash,
		IsAdmin: member.Admin, IsActive: member.Active, CreatedAt: member.CreatedAt,
	}
}

func update(member account.Member) sqlcgen.UpdateMemberParams {
	return sqlcgen.UpdateMemberParams{
		ID: member.ID, Email: member.Email, EmailKey: account.EmailKey(member.Email), Mailbox: toMailbox(member.Email), Name: member.Name,
		Nickname: member.Nickname, Phone: member.Phone, Gender: toGender(member.Gender),
		PasswordHash: member.PasswordHash, IsAdmin: member.Admin, IsActive: member.Active,
	}
}
