package drf

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"oms.internal/libs/mysqlx"
)

// Taken is what the table drf_imports says of a row that was taken.
type Taken struct {
	ID uint64
	// Source is the row as the source had it, and Here as it was left in our table.
	Source, Here Digest
}

// TakenAfter returns what was taken with higher ids, in their order: a page of Table.Known.
func TakenAfter(ctx context.Context, reader mysqlx.Reader, after uint64, most int) (known []Known[uint64], err error) {
	rows, err := reader.QueryContext(ctx, "SELECT id, source FROM drf_imports WHERE id > ? ORDER BY id LIMIT ?", after, most)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	known = make([]Known[uint64], 0, most)
	var digest sql.RawBytes
	for rows.Next() {
		var row Known[uint64]
		if err := rows.Scan(&row.Key, &digest); err != nil {
			return nil, err
		}
		copy(row.Digest[:], digest)
		known = append(known, row)
	}
	return known, rows.Err()
}

// FindTaken returns what was taken of some rows, by their ids, and keeps other runs from these.
func FindTaken(ctx context.Context, tx mysqlx.Writer, ids []uint64) (taken map[uint64]Taken, err error) {
	taken = map[uint64]Taken{}
	if len(ids) == 0 {
		return taken, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT id, source, here FROM drf_imports WHERE id IN ("+marks(len(ids))+") FOR UPDATE", arguments(ids)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var row Taken
		var source, here sql.RawBytes
		if err := rows.Scan(&row.ID, &source, &here); err != nil {
			return nil, err
		}
		copy(row.Source[:], source)
		copy(row.Here[:], here)
		taken[row.ID] = row
	}
	return taken, rows.Err()
}

// Take notes in a transaction that it takes rows, or takes them again.
func Take(ctx context.Context, tx mysqlx.Writer, taken ...Taken) error {
	if len(taken) == 0 {
		return nil
	}
	args := make([]any, 0, 3*len(taken))
	for _, row := range taken {
		args = append(args, row.ID, row.Source[:], row.Here[:])
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO drf_imports (id, source, here) VALUES (?, ?, ?)"+strings.Repeat(", (?, ?, ?)", len(taken)-1)+
		" ON DUPLICATE KEY UPDATE source = VALUES(source), here = VALUES(here)", args...)
	return err
}

// Forget notes in a transaction that rows are gone, here and in the source.
func Forget(ctx context.Context, tx mysqlx.Writer, ids []uint64) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM drf_imports WHERE id IN ("+marks(len(ids))+")", arguments(ids)...)
	return err
}

func marks(count int) string { return strings.TrimSuffix(strings.Repeat("?,", count), ",") }

func arguments(ids []uint64) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return args
}
