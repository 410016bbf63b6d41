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
const mailboxBatch = 1000

// FillMailboxes gives every member its mailbox that has none: rows from before the column was there, and those that processes
// of the version before wrote. A member whose mailbox another one has, or whose email is no address any more, stays as it is,
// and the log says so: it logs in with the email exactly as it is stored, until an admin gives it another one. FillMailboxes may run
// at any time and again.
func FillMailboxes(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	for after := uint64(0); ; {
		rows, err := sqlcgen.New(db).ListMembersWithoutMailbox(ctx, sqlcgen.ListMembersWithoutMailboxParams{ID: after, Limit: mailboxBatch})
		if err != nil {
			return fmt.Errorf("fill mailboxes: %w", err)
		}
		if err := fillBatch(ctx, db, rows, log); err != nil {
			return fmt.Errorf("fill mailboxes: %w", err)
		}
		if len(rows) < mailboxBatch {
			return nil
		}
		after = rows[len(rows)-1].ID
	}
}

func fillBatch(ctx context.Context, db *sql.DB, rows []sqlcgen.ListMembersWithoutMailboxRow, log *slog.Logger) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for _, row := range rows {
		problem, err := fill(ctx, sqlcgen.New(tx), row)
		if err != nil {
			return err
		}
		if problem != "" {
			log.Warn(problem+"; an admin should give it another email", "member", row.ID)
		}
	}
	return tx.Commit()
}

// fill gives one member its mailbox, or says why it stays without.
func fill(ctx context.Context, queries *sqlcgen.Queries, row sqlcgen.ListMembersWithoutMailboxRow) (problem string, err error) {
	params := sqlcgen.SetMailboxParams{
		ID: row.ID, Email: row.Email, EmailKey: account.EmailKey(row.Email), Mailbox: toMailbox(row.Email),
	}
	err = queries.SetMailbox(ctx, params)
	switch {
	case mysqlx.IsDuplicate(err): // that ends the statement, not the transaction
		return "a member's email names the mailbox of another member", nil
	case err == nil && !params.Mailbox.Valid:
		return "a member's email is not a valid address", nil
	}
	return "", err
}

// toMailbox keeps the lack of a mailbox as NULL, of which there may be many.
func toMailbox(email string) sql.NullString {
	mailbox := account.Mailbox(email)
	return sql.NullString{String: mailbox, Valid: mailbox != ""}
}
