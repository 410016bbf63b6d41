package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/audit"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/drf"
	"oms.internal/libs/events"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
)

// Elsewhere is a member of drf-oms that differs from what was taken of it.
type Elsewhere = drf.Row[account.Member]

// ImportRules says what follows from what an import does: account.Service.
type ImportRules interface {
	Imported(ctx context.Context, detail string, admins ...uint64) []audit.Event
	ChangedElsewhere(ctx context.Context, before, after account.Member) account.Consequences
	DeletedElsewhere(ctx context.Context, id uint64) account.Ending
}

// MembersAfter returns what an import has taken: a page of drf.Table.Known.
func (s *Store) MembersAfter(ctx context.Context, after uint64, most int) (known []drf.Known[uint64], err error) {
	err = s.cluster.ReadLatest(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		known, err = drf.TakenAfter(ctx, reader, after, most)
		return err
	})
	return known, err
}

// ImportMembers takes members of drf-oms as they are there, each for itself: a refusal says why one is not taken. If dry, nothing is
// written. A member that was taken and has not changed there since stays as it is.
func (s *Store) ImportMembers(
	ctx context.Context, rules ImportRules, batch []Elsewhere, dry bool,
) (result drf.Result, revocations []account.Revocation, err error) {
	err = s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		run := &memberImport{writer: writer, queries: sqlcgen.New(writer), rules: rules, Batch: drf.Batch{Dry: dry}, now: s.now()}
		if err := drf.Sort(ctx, writer, &run.Batch, batch, run); err != nil {
			return err
		}
		result, revocations = run.Result, run.revocations
		if dry {
			return drf.ErrDry
		}
		return nil
	})
	if errors.Is(err, drf.ErrDry) {
		err = nil
	}
	return result, revocations, err
}

// memberImport is one transaction of an import.
type memberImport struct {
	drf.Batch
	writer  mysqlx.Writer
	queries *sqlcgen.Queries
	rules   ImportRules
	now     time.Time

	here        map[uint64]account.Member
	revocations []account.Revocation
}

// Find locks the members that were taken before.
func (i *memberImport) Find(ctx context.Context, _ []Elsewhere) error {
	i.here = map[uint64]account.Member{}
	if len(i.Taken) == 0 {
		return nil
	}
	rows, err := i.queries.ListMembersForUpdate(ctx, slices.Sorted(maps.Keys(i.Taken)))
	for _, row := range rows {
		i.here[row.ID] = toMember(row)
	}
	return err
}

// asHere is the digest of a member as it is stored.
func asHere(member account.Member) drf.Digest {
	flags := strconv.FormatBool(member.Admin) + strconv.FormatBool(member.Active)
	return drf.Of(member.PasswordHash, member.Email, member.Name, member.Nickname, member.Phone, member.Gender, flags,
		member.CreatedAt.UTC().Format(timeText))
}

// Changed brings what has changed there, unless the member was changed here, too.
func (i *memberImport) Changed(ctx context.Context, there Elsewhere, taken drf.Taken) error {
	before, present := i.here[taken.ID]
	if !present {
		i.Refuse(taken.ID, false, "it was changed in drf-oms, but deleted here")
		return nil
	}
	here := asHere(before)
	newFields, newPassword := !there.Source.SameFields(taken.Source), !there.Source.SameSecret(taken.Source)
	switch {
	case newFields && !here.SameFields(taken.Here):
		i.Refuse(taken.ID, false, "it was changed in drf-oms, and here, too")
		return nil
	case newPassword && !here.SameSecret(taken.Here):
		i.Refuse(taken.ID, false, "its password was changed in drf-oms, but it has logged in here, or has another password here, too")
		return nil
	}
	after := before
	if newFields {
		after = there.Value
		after.PasswordHash, after.Version = before.PasswordHash, before.Version
	}
	if newPassword {
		after.PasswordHash = there.Value.PasswordHash
	}
	if i.Dry {
		i.Result.Changed++
		return nil
	}
	follows := i.rules.ChangedElsewhere(ctx, before, after)
	if err := store(ctx, i.writer, before, &after, follows.At); err != nil {
		if errors.Is(err, account.ErrEmailTaken) {
			i.Refuse(taken.ID, true, "its email names the mailbox of another member here")
			return nil
		}
		return err
	}
	left := taken.Here // what was changed here stays a change
	if newFields {
		left = asHere(after).WithSecretOf(left)
	}
	if newPassword {
		left = left.WithSecretOf(asHere(after))
	}
	if err := drf.Take(ctx, i.writer, drf.Taken{ID: taken.ID, Source: there.Source, Here: left}); err != nil {
		return err
	}
	i.Result.Changed++
	if !follows.EndsSessions {
		return insertEvents(ctx, i.queries, follows.Events)
	}
	revocations, err := endSessions(ctx, i.queries, taken.ID, 0, follows.Ending)
	i.revocations = append(i.revocations, revocations...)
	return err
}

// Gone removes a member that is gone there, unless it was changed here.
func (i *memberImport) Gone(ctx context.Context, taken drf.Taken) error {
	member, present := i.here[taken.ID]
	if present && asHere(member) != taken.Here {
		i.Refuse(taken.ID, false, "it is gone in drf-oms, but here it has logged in or was changed")
		return nil
	}
	i.Result.Gone++
	if i.Dry {
		return nil
	}
	if present {
		revocation, err := remove(ctx, i.writer, member, i.rules.DeletedElsewhere(ctx, taken.ID))
		if err != nil {
			return err
		}
		i.revocations = append(i.revocations, revocation)
	}
	return drf.Forget(ctx, i.writer, []uint64{taken.ID})
}

// Fresh takes members that were not taken before, in a few statements for all.
func (i *memberImport) Fresh(ctx context.Context, all []Elsewhere) error {
	members, err := i.admitted(ctx, all)
	if err != nil || len(members) == 0 {
		return err
	}
	i.Result.New += len(members)
	if i.Dry {
		return nil
	}
	if err := i.insert(ctx, members); err != nil {
		return err
	}
	taken := make([]drf.Taken, len(members))
	var admins []uint64
	for n, there := range members {
		taken[n] = drf.Taken{ID: there.ID, Source: there.Source, Here: asHere(there.Value)}
		if there.Value.Admin {
			admins = append(admins, there.ID)
		}
	}
	first, last := taken[0].ID, taken[len(taken)-1].ID
	if err := drf.Take(ctx, i.writer, taken...); err != nil {
		return err
	}
	if err := i.noteBelow(ctx, members); err != nil {
		return err
	}
	event, err := events.New(accounts.Service, accounts.EventImported, "", i.now, accounts.ImportedData{
		From: drf.Name, FirstID: first, LastID: last, Count: len(members),
	})
	if err != nil {
		return err
	}
	if err := events.Append(ctx, i.writer, event); err != nil {
		return err
	}
	detail := fmt.Sprintf("%d of members %d to %d, from %s", len(members), first, last, drf.Name)
	return insertEvents(ctx, i.queries, i.rules.Imported(ctx, detail, admins...))
}

// admitted returns the members whose id and email are free.
func (i *memberImport) admitted(ctx context.Context, all []Elsewhere) (admitted []Elsewhere, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	var find sqlcgen.ListHoldersParams
	ids := make([]uint64, len(all))
	for n, there := range all {
		ids[n] = there.ID
		find.Mailboxes = append(find.Mailboxes, toMailbox(there.Value.Email))
		find.EmailKeys = append(find.EmailKeys, account.EmailKey(there.Value.Email))
	}
	present, err := i.queries.ListPresentMembers(ctx, ids)
	if err != nil {
		return nil, err
	}
	deleted, err := i.queries.ListDeletedMembers(ctx, ids)
	if err != nil {
		return nil, err
	}
	rows, err := i.queries.ListHolders(ctx, find)
	if err != nil {
		return nil, err
	}
	mailboxes, keys := map[string]uint64{}, map[string]uint64{}
	for _, row := range rows {
		mailboxes[account.Mailbox(row.Email)], keys[row.EmailKey] = row.ID, row.ID
	}
	for n, there := range all {
		id, mailbox, key := ids[n], find.Mailboxes[n].String, find.EmailKeys[n]
		holder, held := mailboxes[mailbox]
		if !held {
			holder, held = keys[key]
		}
		switch {
		case slices.Contains(present, id):
			i.Refuse(id, false, "its id is that of another member here")
		case slices.Contains(deleted, id):
			i.Refuse(id, false, "its id was that of another member here, who is deleted")
		case held:
			i.Refuse(id, true, "its email names the mailbox of member %d here", holder)
		default:
			mailboxes[mailbox], keys[key] = id, id
			admitted = append(admitted, there)
		}
	}
	return admitted, nil
}

const memberColumns = "id, email, mailbox_email, grams_email, email_key, mailbox, name, grams_name, nickname, phone, gender, password_hash, " +
	"is_admin, is_active, created_at"

// insert stores members and the pieces of their names and emails.
func (i *memberImport) insert(ctx context.Context, members []Elsewhere) error {
	var args []any
	ids := make([]any, len(members))
	for n, there := range members {
		row := insertion(there.Value)
		ids[n] = there.ID
		args = append(args, there.ID, row.Email, row.Email, row.Email, row.EmailKey, row.Mailbox, row.Name, row.Name, row.Nickname,
			row.Phone, row.Gender, row.PasswordHash, row.IsAdmin, row.IsActive, row.CreatedAt)
	}
	columns := strings.Count(memberColumns, ",") + 1
	if _, err := i.writer.ExecContext(ctx, "INSERT INTO members ("+memberColumns+") VALUES "+tuples(len(members), columns), args...); err != nil {
		return err
	}
	grams, err := i.grams(ctx, ids)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(grams, gramsInsert) {
		args = args[:0]
		for _, gram := range some {
			args = append(args, []byte(gram.text), gram.member)
		}
		if _, err := i.writer.ExecContext(ctx, "INSERT INTO member_grams (gram, member_id) VALUES "+tuples(len(some), 2), args...); err != nil {
			return err
		}
	}
	return nil
}

// gramsInsert is how many pieces one statement stores.
const gramsInsert = 5000

type gram struct {
	text   string
	member uint64
}

// grams returns the pieces of members, in the order of the table, which is the quickest one to insert them in.
func (i *memberImport) grams(ctx context.Context, ids []any) (all []gram, err error) {
	query := "SELECT id, " + listsql.Folded("name") + ", " + listsql.Folded("email") + " FROM members WHERE id IN (" +
		strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",") + ")"
	rows, err := i.writer.QueryContext(ctx, query, ids...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id uint64
		var name, email string
		if err := rows.Scan(&id, &name, &email); err != nil {
			return nil, err
		}
		for _, text := range gramsOf(name, email) {
			all = append(all, gram{text, id})
		}
	}
	slices.SortFunc(all, func(a, b gram) int {
		if order := strings.Compare(a.text, b.text); order != 0 {
			return order
		}
		return int(int64(a.member) - int64(b.member))
	})
	return all, rows.Err()
}

// noteBelow notes members whose ids are below others that were there before. Processes that remember how many members there were up to
// some id learn of it (libs/listing/listsql/counts.go).
func (i *memberImport) noteBelow(ctx context.Context, members []Elsewhere) error {
	highest, err := i.queries.GetHighestMember(ctx)
	if err != nil || uint64(highest) == members[len(members)-1].ID {
		return err
	}
	moves := make([]listsql.Move, len(members))
	for n, there := range members {
		moves[n] = listsql.Move{Row: there.ID, Gained: 1}
	}
	return listsql.Note(ctx, i.writer, MemberList, moves...)
}

// ReserveIDs has new members get ids above one, unless there are such members already. So the ids below stay free for members that drf-oms
// still makes. It inserts a row there and removes it, because the service's user may not alter the table.
func (s *Store) ReserveIDs(ctx context.Context, last, reserve uint64) error {
	return s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		highest, err := sqlcgen.New(writer).GetHighestMember(ctx)
		if err != nil || uint64(highest) > last {
			return err
		}
		row := insertion(account.Member{CreatedAt: s.now()})
		_, err = writer.ExecContext(ctx, "INSERT INTO members (id, email, email_key, name, nickname, phone, password_hash, created_at) VALUES "+
			tuples(1, 8), last+reserve, row.Email, row.EmailKey, row.Name, row.Nickname, row.Phone, row.PasswordHash, row.CreatedAt)
		if err != nil {
			return err
		}
		return sqlcgen.New(writer).DeleteMember(ctx, last+reserve)
	})
}

// tuples are the marks of so many rows.
func tuples(rows, columns int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(one+", ", rows), ", ")
}

// ImportedMembers returns which of these ids are those of members who were imported.
func (s *Store) ImportedMembers(ctx context.Context, ids []uint64) (imported []uint64, err error) {
	err = s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		imported, err = queries.ListImportedMembers(ctx, ids)
		return err
	})
	return imported, err
}
