package store

import (
	"context"
	"database/sql"
	"log/slog"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/mysqlx"
)

// mailboxBatch is how many members are given their mailboxes in one transaction.
const mailboxBatch = 100

// FillMailboxes makes the mailboxes and keys of members whose email was written by a process of a release that does not make
// them, as a service.Round does its work. An index finds these members, so where there are none it costs one look for each of its two
// passes. A member whose mailbox another one has, or whose email is no address any more, stays without a mailbox, and the log names it
// each time: it logs in with the email exactly as it is stored, until an admin gives it another one.
func (s *Store) FillMailboxes(ctx context.Context, log *slog.Logger, rest func() error) (filled int, err error) {
	// All wrong mailboxes go first, since one of them may be the right one of another member.
	err = s.eachBatch(ctx, rest, func(due []sqlcgen.ListDueMailboxesRow) error { return s.clearWrong(ctx, due) })
	if err != nil {
		return 0, err
	}
	err = s.eachBatch(ctx, rest, func(due []sqlcgen.ListDueMailboxesRow) error {
		without, err := s.fillBatch(ctx, due)
		if err != nil {
			return err
		}
		for id, problem := range without {
			log.WarnContext(ctx, problem+"; an admin should give it another email", "member", id)
		}
		filled += len(due) - len(without)
		return nil
	})
	return filled, err
}

// eachBatch hands over the members whose mailboxes are not those of their emails.
func (s *Store) eachBatch(ctx context.Context, rest func() error, pass func(due []sqlcgen.ListDueMailboxesRow) error) error {
	for after := uint64(0); ; {
		var due []sqlcgen.ListDueMailboxesRow
		err := s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
			due, err = queries.ListDueMailboxes(ctx, sqlcgen.ListDueMailboxesParams{ID: after, Limit: mailboxBatch})
			return err
		})
		if err == nil && len(due) > 0 {
			err = pass(due)
		}
		if err != nil || len(due) < mailboxBatch {
			return err
		}
		after = due[len(due)-1].ID
		if err := rest(); err != nil {
			return err
		}
	}
}

// clearWrong takes from members the mailboxes that their emails do not name any more.
func (s *Store) clearWrong(ctx context.Context, due []sqlcgen.ListDueMailboxesRow) error {
	var wrong []uint64
	for _, row := range due {
		if row.Mailbox.Valid && row.Mailbox.String != account.Mailbox(row.Email) {
			wrong = append(wrong, row.ID)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error { return queries.ClearMailboxes(ctx, wrong) })
}

// fillBatch gives members their mailboxes and keys. It returns why some stay without a mailbox, under their ids.
func (s *Store) fillBatch(ctx context.Context, due []sqlcgen.ListDueMailboxesRow) (without map[uint64]string, err error) {
	err = s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		without = map[uint64]string{}
		for _, row := range due {
			problem, err := fill(ctx, queries, row)
			if err != nil {
				return err
			}
			if problem != "" {
				without[row.ID] = problem
			}
		}
		return nil
	})
	return without, err
}

// fill gives one member its mailbox and its key. It says why the member stays without a mailbox. A duplicate ends the
// statement that meets it, not the transaction.
func fill(ctx context.Context, queries *sqlcgen.Queries, row sqlcgen.ListDueMailboxesRow) (problem string, err error) {
	key, mailbox := account.EmailKey(row.Email), toMailbox(row.Email)
	problem = "a member's email is not a valid address"
	if mailbox.Valid {
		err = queries.SetMailbox(ctx, sqlcgen.SetMailboxParams{ID: row.ID, Email: row.Email, EmailKey: key, Mailbox: mailbox})
		if !mysqlx.IsDuplicate(err) {
			return "", err
		}
		problem = "a member's email names the mailbox of another member"
	}
	// Even without a mailbox it needs its own key, or it would keep its former one from others.
	err = queries.SetEmailKey(ctx, sqlcgen.SetEmailKeyParams{ID: row.ID, Email: row.Email, EmailKey: key})
	if mysqlx.IsDuplicate(err) {
		err = nil // another member has the key, too
	}
	return problem, err
}

// toMailbox keeps the lack of a mailbox as NULL, of which there may be many.
func toMailbox(email string) sql.NullString {
	mailbox := account.Mailbox(email)
	return sql.NullString{String: mailbox, Valid: mailbox != ""}
}
