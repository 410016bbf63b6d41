package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strconv"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/mysqlx"
)

// mailboxBatch is how many members are given their mailboxes with one statement, which locks them for a moment.
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
		err = eachBatch(ctx, queries, func(due []sqlcgen.ListDueMailboxesRow) error { return fillBatch(ctx, queries, due, log) })
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

// fillBatch gives members their mailboxes and keys, all at once unless one of them cannot have its mailbox.
func fillBatch(ctx context.Context, queries *sqlcgen.Queries, rows []sqlcgen.ListDueMailboxesRow, log *slog.Logger) error {
	var valid []sqlcgen.ListDueMailboxesRow
	for _, row := range rows {
		if account.Mailbox(row.Email) != "" {
			valid = append(valid, row)
		} else if err := keyAlone(ctx, queries, row, log, "a member's email is not a valid address"); err != nil {
			return err
		}
	}
	err := fill(ctx, queries, valid...)
	if !mysqlx.IsDuplicate(err) {
		return err
	}
	for _, row := range valid {
		err := fill(ctx, queries, row)
		if mysqlx.IsDuplicate(err) {
			err = keyAlone(ctx, queries, row, log, "a member's email names the mailbox of another member")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func fill(ctx context.Context, queries *sqlcgen.Queries, rows ...sqlcgen.ListDueMailboxesRow) error {
	var params sqlcgen.FillMailboxesParams
	for _, row := range rows {
		params.Ids = append(params.Ids, row.ID)
		params.Positions = append(params.Positions, strconv.FormatUint(row.ID, 10))
		params.Emails = append(params.Emails, row.Email)
		params.EmailKeys = append(params.EmailKeys, account.EmailKey(row.Email))
		params.Mailboxes = append(params.Mailboxes, account.Mailbox(row.Email))
	}
	if len(rows) == 0 {
		return nil
	}
	return queries.FillMailboxes(ctx, params)
}

// keyAlone sets the key of a member that stays without a mailbox, and says why it does.
func keyAlone(ctx context.Context, queries *sqlcgen.Queries, row sqlcgen.ListDueMailboxesRow, log *slog.Logger, problem string) error {
	log.WarnContext(ctx, problem+"; an admin should give it another email", "member", row.ID)
	err := queries.SetEmailKey(ctx, sqlcgen.SetEmailKeyParams{ID: row.ID, Email: row.Email, EmailKey: account.EmailKey(row.Email)})
	if mysqlx.IsDuplicate(err) {
		return nil // another member has the key, too
	}
	return err
}

// toMailbox keeps the lack of a mailbox as NULL, of which there may be many.
func toMailbox(email string) sql.NullString {
	mailbox := account.Mailbox(email)
	return sql.NullString{String: mailbox, Valid: mailbox != ""}
}
