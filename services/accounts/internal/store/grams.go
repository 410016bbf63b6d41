package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
)

// gramsOf returns the pieces by which texts are found, each once: those of three characters, and those of two of which one is not ASCII,
// because a Korean name is looked for by two syllables. The server has folded the texts.
func gramsOf(folded ...string) []string {
	pieces := map[string]bool{}
	for _, text := range folded {
		characters := []rune(text)
		for i := range characters {
			if i+2 <= len(characters) && (characters[i] >= utf8.RuneSelf || characters[i+1] >= utf8.RuneSelf) {
				pieces[string(characters[i:i+2])] = true
			}
			if i+3 <= len(characters) {
				pieces[string(characters[i:i+3])] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(pieces))
}

// texts reads what the pieces of a member are made of: those that are stored were made of the first two, and must be of the last two. The
// member is locked, so that nobody changes it meanwhile.
var texts = "SELECT " + strings.Join([]string{
	listsql.Folded("grams_name"), listsql.Folded("grams_email"), listsql.Folded("name"), listsql.Folded("email"),
}, ", ") + " FROM members WHERE id = ? FOR UPDATE"

// gramsOfMember returns a member's pieces, as they are stored and as they must be. There are none of a member who is gone.
func gramsOfMember(ctx context.Context, writer mysqlx.Writer, id uint64) (stored, wanted []string, err error) {
	var before, now [2]string
	err = writer.QueryRowContext(ctx, texts, id).Scan(&before[0], &before[1], &now[0], &now[1])
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	return gramsOf(before[:]...), gramsOf(now[:]...), err
}

// addGrams stores the pieces of a new member.
func addGrams(ctx context.Context, writer mysqlx.Writer, id uint64) error {
	_, wanted, err := gramsOfMember(ctx, writer, id)
	if err != nil {
		return err
	}
	return insertGrams(ctx, writer, id, wanted)
}

// changeGrams makes the stored pieces of a member those of its name and email.
func changeGrams(ctx context.Context, writer mysqlx.Writer, id uint64) error {
	stored, wanted, err := gramsOfMember(ctx, writer, id)
	if err == nil {
		err = deleteGrams(ctx, writer, id, without(stored, wanted))
	}
	if err == nil {
		err = insertGrams(ctx, writer, id, without(wanted, stored))
	}
	if err != nil {
		return err
	}
	return sqlcgen.New(writer).SetGramsMade(ctx, id)
}

// removeGrams removes the pieces of a member that is to be deleted.
func removeGrams(ctx context.Context, writer mysqlx.Writer, id uint64) error {
	stored, _, err := gramsOfMember(ctx, writer, id)
	if err != nil {
		return err
	}
	return deleteGrams(ctx, writer, id, stored)
}

func without(grams, others []string) []string {
	return slices.DeleteFunc(slices.Clone(grams), func(gram string) bool { return slices.Contains(others, gram) })
}

func deleteGrams(ctx context.Context, writer mysqlx.Writer, id uint64, grams []string) error {
	for _, gram := range grams {
		if err := sqlcgen.New(writer).DeleteGram(ctx, sqlcgen.DeleteGramParams{Gram: []byte(gram), MemberID: id}); err != nil {
			return err
		}
	}
	return nil
}

func insertGrams(ctx context.Context, writer mysqlx.Writer, id uint64, grams []string) error {
	if len(grams) == 0 {
		return nil
	}
	var values []any
	for _, gram := range grams {
		values = append(values, []byte(gram), id)
	}
	_, err := writer.ExecContext(ctx, "INSERT INTO member_grams (gram, member_id) VALUES (?, ?)"+strings.Repeat(", (?, ?)", len(grams)-1), values...)
	return err
}

// gramsBatch is how many members are given their pieces in one transaction.
const gramsBatch = 50

// FillGrams makes the pieces of members whose name or email was written by a process of a release that does not make them, as a
// service.Round does its work. Until then searches look at these members one by one.
func (s *Store) FillGrams(ctx context.Context, rest func() error) (filled int, err error) {
	for {
		var due []uint64
		err := s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
			due, err = queries.ListDueGrams(ctx, gramsBatch)
			return err
		})
		if err == nil && len(due) > 0 {
			err = s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
				for _, id := range due {
					if err := changeGrams(ctx, writer, id); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err != nil {
			return filled, err
		}
		filled += len(due)
		if len(due) < gramsBatch {
			return filled, nil
		}
		if err := rest(); err != nil {
			return filled, err
		}
	}
}
