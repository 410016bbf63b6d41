// Package store keeps members and sessions in MySQL or MariaDB: the domain's port account.Store over the queries that
// sqlc generates. It alone knows rows and NULLs.
package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

// Store is account.Store on a cluster.
type Store struct{ cluster *mysqlx.Cluster }

var _ account.Store = (*Store)(nil)

// New returns a store on the cluster, whose schema must be that of sql.Accounts.
func New(cluster *mysqlx.Cluster) *Store { return &Store{cluster: cluster} }

// read runs queries on a server that is as fresh as asked.
func (s *Store) read(ctx context.Context, freshness account.Freshness, queries func(context.Context, *sqlcgen.Queries) error) error {
	on := s.cluster.ReadRecent
	if freshness == account.Latest {
		on = s.cluster.ReadLatest
	}
	return on(ctx, func(ctx context.Context, reader mysqlx.Reader) error { return queries(ctx, sqlcgen.New(reader)) })
}

// write runs queries in a transaction on the primary.
func (s *Store) write(ctx context.Context, queries func(context.Context, *sqlcgen.Queries) error) error {
	return s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		return queries(ctx, sqlcgen.New(writer))
	})
}

// sweep runs a statement that removes rows, and returns how many it removed.
func (s *Store) sweep(ctx context.Context, remove func(context.Context, *sqlcgen.Queries) (int64, error)) (int, error) {
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
		PasswordHash: row.PasswordHash, Admin: row.IsAdmin, Active: row.IsActive, CreatedAt: row.CreatedAt,
	}
}

func toGender(gender string) sql.NullString {
	return sql.NullString{String: gender, Valid: gender != ""}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// containing returns the LIKE pattern for texts that hold term, in the case of email_key; names ignore case anyway.
func containing(term string) string {
	return "%" + likeEscaper.Replace(strings.ToLower(term)) + "%"
}
