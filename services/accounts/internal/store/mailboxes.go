package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/mysqlx"
)

// mailboxBatch is how many members are given their mailboxes in one transaction.
const mailboxBatch = 100

// FillMailboxes makes the mailboxes and keys of members whose email was written by a process of a release that does not make
// them. An index finds these members, so a start with nothing to do costs one look. A member whose mailbox another one has, or
// whose email is no address any more, stays without a mailbox, and the log names it each time: it logs in with the email
// exactly as it is stored, until an admin gives it another one. FillMailboxes may run at any time and again.
func FillMailboxes(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	queries := sqlcgen.New(db)
	// All wrong mailboxes go first, since one of them may be the right one of another member.
	err := eachBatch(ctx, queries, func(due []sqlcgen.ListDueMailboxesRow) error { return clearWrong(ctx, queries, due) })
	if err == nil {
		err = eachBatch(ctx, queries, func(due []sqlcgen.ListDueMailboxesRow) error { return fillBatch(ctx, db, due, log) })
	}
	if err != nil {
		return fmt.Errorf("fill mailboxes: %w", err)
	}
	return nil
}

// eachBatch hands over the members whose mailboxes are not those of their emails.
func eachBatch(ctx context.Context, queries *sqlcgen.Queries, pass func(due []sqlcgen.ListDueMailboxesRow) error) error {
	for after := uint64(0); ; {
		rows, err := queries.ListDueMailboxes(ctx, sqlcgen.ListDueMailboxesParams{ID: after, Limit: mailboxBatch})
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := pass(rows); err != nil {
			return err
		}
		after = rows[len(rows)-1].ID
	}
}

// clearWrong takes from members the mailboxes that their emails do not name any more.
func clearWrong(ctx context.Context, queries *sqlcgen.Queries, rows []sqlcgen.ListDueMailboxesRow) error {
	var wrong []uint64
	for _, row := range rows {
		if row.Mailbox.Valid && row.Mailbox.String != account.Mailbox(row.Email) {
			wrong = append(wrong, row.ID)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return queries.ClearMailboxes(ctx, wrong)
}

// fillBatch gives members their mailboxes and keys.
func fillBatch(ctx context.Context, db *sql.DB, due []sqlcgen.ListDueMailboxesRow, log *slog.Logger) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for _, row := range due {
		problem, err := fill(ctx, sqlcgen.New(tx), row)
		if err != nil {
			return err
		}
		if problem != "" {
			log.WarnContext(ctx, problem+"; an admin should give it another email", "member", row.ID)
		}
	}
	return tx.Commit()
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
