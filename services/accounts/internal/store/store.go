// Package store keeps members and sessions in MySQL or MariaDB: the domain's port account.Store over the queries that
// sqlc generates. It alone knows rows and NULLs.
package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/events"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
)

// Store is account.Store on a cluster.
type Store struct {
	cluster *mysqlx.Cluster
	counts  *listsql.Counts
	now     func() time.Time
}

var _ account.Store = (*Store)(nil)

// New returns a store on the cluster, whose schema must be that of sql.Accounts, with a clock.
func New(cluster *mysqlx.Cluster, now func() time.Time) *Store {
	return &Store{cluster: cluster, counts: listsql.NewCounts(MemberList, cluster.Epoch, now), now: now}
}

type readQueries = func(context.Context, *sqlcgen.Queries) error

// readLatest runs queries on the primary: what decides about security or about a write must not be a moment old.
func (s *Store) readLatest(ctx context.Context, queries readQueries) error {
	return s.cluster.ReadLatest(ctx, onReader(queries))
}

func onReader(queries readQueries) func(context.Context, mysqlx.Reader) error {
	return func(ctx context.Context, reader mysqlx.Reader) error { return queries(ctx, sqlcgen.New(reader)) }
}

// write runs queries in a transaction on the primary.
func (s *Store) write(ctx context.Context, queries func(context.Context, *sqlcgen.Queries) error) error {
	return s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		return queries(ctx, sqlcgen.New(writer))
	})
}

// appendEvent appends an event of a member, as it is after the change or was before its deletion, to the transaction that
// changes it.
func appendEvent(ctx context.Context, writer mysqlx.Writer, kind string, member account.Member, at time.Time) error {
	event, err := events.New(accounts.Service, kind, strconv.FormatUint(member.ID, 10), at, accounts.EventData{
		MemberID: member.ID, Version: member.Version, Active: member.Active, Admin: member.Admin,
	})
	if err != nil {
		return err
	}
	return events.Append(ctx, writer, event)
}

// look is a query that tells whether a table has rows from before a time.
type look = func(*sqlcgen.Queries, context.Context, time.Time) (bool, error)

// due asks whether there is something to remove, without ending the cluster's rest.
func (s *Store) due(ctx context.Context, before time.Time, look look) (due bool, err error) {
	err = s.cluster.Poll(ctx, onReader(func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		due, err = look(queries, ctx, before)
		return err
	}))
	return due, err
}

// sweep runs a statement that removes rows from before a time, where there are some, and returns how many it removed. In vain it would end
// the cluster's rest, and lock the places where new rows come.
func (s *Store) sweep(
	ctx context.Context, before time.Time, look look, remove func(context.Context, *sqlcgen.Queries) (int64, error),
) (int, error) {
	if due, err := s.due(ctx, before, look); err != nil || !due {
		return 0, err
	}
	var removed int64
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		removed, err = remove(ctx, queries)
		return err
	})
	return int(removed), err
}

// notFound turns the absence of a row into the fault NotFound.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NewNotFound()
	}
	return err
}

func emailTaken(err error) error {
	if mysqlx.IsDuplicate(err) {
		return account.ErrEmailTaken
	}
	return err
}

func toMember(row sqlcgen.Member) account.Member {
	return account.Member{
		ID: row.ID, Email: row.Email, Name: row.Name, Nickname: row.Nickname, Phone: row.Phone, Gender: row.Gender.String,
		PasswordHash: row.PasswordHash, Admin: row.IsAdmin, Active: row.IsActive, CreatedAt: row.CreatedAt, Version: row.Version,
	}
}

// listed is toMember for a list, whose members come without the hash of their password.
func listed(row sqlcgen.ListMembersByIDsRow) (id uint64, member account.Member) {
	return row.ID, account.Member{
		ID: row.ID, Email: row.Email, Name: row.Name, Nickname: row.Nickname, Phone: row.Phone, Gender: row.Gender.String,
		Admin: row.IsAdmin, Active: row.IsActive, CreatedAt: row.CreatedAt, Version: row.Version,
	}
}

func toGender(gender string) sql.NullString {
	return sql.NullString{String: gender, Valid: gender != ""}
}

// RenewCounts counts anew what is remembered and due.
func (s *Store) RenewCounts(ctx context.Context) error {
	return s.counts.Renew(ctx, s.cluster.ReadSlowly)
}
