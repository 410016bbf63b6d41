package drf

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/pace"
)

// Kind is how a row of the source differs from what was taken of it.
type Kind int

// The kinds.
const (
	New Kind = iota
	Changed
	Gone
)

const (
	// batchSize is how many new rows one transaction writes.
	batchSize = 1000
	// A row that is changed or removed takes several statements.
	changeSize = 10
	knownPage  = 10_000
	// What fails for the moment is tried again for about half a minute: a row that somebody has locked, a primary that is replaced. That the
	// outcome is unknown does not matter, because a row that was taken is not taken again.
	tries    = 30
	tryAgain = time.Second
	// A source that lacks more than half of many rows is another one, or not whole.
	many = 100
)

func (k Kind) size() int {
	if k == New {
		return 1
	}
	return changeSize
}

// Difference is a row of the source that differs from what was taken of it.
type Difference[K any] struct {
	Kind Kind
	Key  K
	// Fields are those of Table.Query, the key included, and none of a row that is gone.
	Fields []sql.NullString
	// Source is the row as the source has it.
	Source Digest
}

// Known is a row that was taken, as the source had it.
type Known[K any] struct {
	Key    K
	Digest Digest
}

// Refusal says why a row is not taken.
type Refusal struct {
	Key    string
	Reason string
	// Passing says that another row is in the way, which may be changed later in the same run.
	Passing bool
}

// Result is what became of a batch.
type Result struct {
	New, Changed, Gone int
	Refused            []Refusal
	// Waiting is how many rows of a dry run can be taken only once their member is here. A first dry run finds no member here yet.
	Waiting int
}

// Table is a table of drf-oms, and what is done with its rows.
type Table[K cmp.Ordered] struct {
	// Name is that of the rows, for people.
	Name string
	// Count and Query count and read the rows, with the same arguments. The first column is the key, in whose order they come.
	Count, Query string
	Args         []any
	// Expired counts rows that Query leaves out, because they have expired; "" for none.
	Expired string
	// Key reads a key. What is no key is refused.
	Key func(text string) (K, error)
	// Secret is the place of the column that is a secret, 0 for none.
	Secret int
	// Known returns the next of the rows that were taken, in the order of their keys.
	Known func(ctx context.Context, after K, most int) ([]Known[K], error)
	// Apply takes the rows of a batch in one transaction, or refuses them one by one. It may be called again with what it has taken. If
	// dry, it only says what it would do.
	Apply func(ctx context.Context, batch []Difference[K], dry bool) (Result, error)

	differences *spool[K]
	refused     []Refusal
	expired     int
	last        K
}

// compare notes what differs. It returns how many rows were taken before, and how many of these are gone.
func (t *Table[K]) compare(ctx context.Context, source *Source, progress *progress) (err error) {
	if t.differences, err = newSpool[K](); err != nil {
		return err
	}
	count, err := source.count(ctx, t.Count, t.Args...)
	if err != nil {
		return err
	}
	if t.Expired != "" {
		if t.expired, err = source.count(ctx, t.Expired, t.Args...); err != nil {
			return err
		}
	}
	progress.begin("read "+t.Name, count)
	known := &walk[K]{read: t.Known}
	if err := known.advance(ctx); err != nil {
		return err
	}
	taken, gone := 0, 0
	leave := func() error { // the present known row is not in the source
		gone++
		err := t.differences.add(Difference[K]{Kind: Gone, Key: known.present.Key})
		if err != nil {
			return err
		}
		return known.advance(ctx)
	}
	err = source.each(ctx, t.Query, t.Args, func(fields []sql.RawBytes) error {
		progress.add(1)
		key, noKey := t.Key(string(fields[0]))
		if noKey != nil {
			t.refused = append(t.refused, Refusal{Key: string(fields[0]), Reason: noKey.Error()})
			return nil //nolint:nilerr // the rest is taken
		}
		if key <= t.last {
			return fmt.Errorf("the source returned %s %v after %v", t.Name, key, t.last)
		}
		t.last = key
		for known.there && known.present.Key < key {
			if err := leave(); err != nil {
				return err
			}
		}
		digest := t.digest(fields)
		kind := New
		if known.there && known.present.Key == key {
			before := known.present.Digest
			taken++
			if err := known.advance(ctx); err != nil || before == digest {
				return err
			}
			kind = Changed
		}
		return t.differences.add(Difference[K]{Kind: kind, Key: key, Fields: copied(fields), Source: digest})
	})
	for err == nil && known.there {
		err = leave()
	}
	if err == nil && gone > many && gone > taken {
		err = fmt.Errorf("%d of %d %ss that were imported are not in the source any more: it is another database, or not whole", gone, gone+taken, t.Name)
	}
	return err
}

func (t *Table[K]) digest(fields []sql.RawBytes) Digest {
	if t.Secret == 0 {
		return of(nil, fields[1:])
	}
	secret := fields[t.Secret]
	fields[t.Secret] = nil
	digest := of(secret, fields[1:])
	fields[t.Secret] = secret
	return digest
}

func copied(fields []sql.RawBytes) []sql.NullString {
	copies := make([]sql.NullString, len(fields))
	for i, field := range fields {
		copies[i] = sql.NullString{String: string(field), Valid: field != nil}
	}
	return copies
}

// apply takes what differs, and again what was refused only because another row was in the way, as long as that helps.
func (t *Table[K]) apply(ctx context.Context, report *report) error {
	before := report.refused
	err := report.refuse(t.Name, t.refused...)
	var total Result
	for again := true; again && err == nil; {
		var waiting []Refusal
		if waiting, again, err = t.pass(ctx, report, &total); err == nil && (!again || len(waiting) == 0) {
			again, err = false, report.refuse(t.Name, waiting...)
		}
	}
	if err != nil {
		return err
	}
	return report.sum(t.Name, total, report.refused-before, t.expired)
}

// pass takes what differs. It returns what must wait for other rows, which are the differences from then on, and whether it did anything.
func (t *Table[K]) pass(ctx context.Context, report *report, total *Result) (waiting []Refusal, did bool, err error) {
	later, err := newSpool[K]()
	if err != nil {
		return nil, false, err
	}
	report.progress.begin(verb(report.DryRun)+t.Name, t.differences.count)
	err = t.differences.batches(func(batch []Difference[K]) error {
		result, err := t.patiently(ctx, batch, report.DryRun)
		if err != nil {
			return err
		}
		waits := map[string]bool{}
		for _, refusal := range result.Refused {
			if refusal.Passing && !report.DryRun {
				waiting, waits[refusal.Key] = append(waiting, refusal), true
			} else if err := report.refuse(t.Name, refusal); err != nil {
				return err
			}
		}
		for _, difference := range batch {
			if waits[fmt.Sprint(difference.Key)] {
				if err := later.add(difference); err != nil {
					return err
				}
			}
		}
		did = did || result.New+result.Changed+result.Gone > 0
		total.New += result.New
		total.Changed += result.Changed
		total.Gone += result.Gone
		total.Waiting += result.Waiting
		report.progress.add(len(batch))
		return nil
	})
	err = errors.Join(err, t.differences.close())
	t.differences = later
	return waiting, did, err
}

// Last is the last key that the source has.
func (t *Table[K]) Last() K { return t.last }

func verb(dry bool) string {
	if dry {
		return "examine "
	}
	return "write "
}

func (t *Table[K]) patiently(ctx context.Context, batch []Difference[K], dry bool) (result Result, err error) {
	for range tries {
		result, err = t.Apply(ctx, batch, dry)
		passing := mysqlx.IsDuplicate(err) || fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) || fault.Is(err, fault.OutcomeUnknown)
		if !passing || pace.Wait(ctx, tryAgain) != nil {
			break
		}
	}
	return result, err
}

func (t *Table[K]) close() error {
	if t.differences == nil {
		return nil
	}
	return t.differences.close()
}

// walk goes through the rows that were taken.
type walk[K cmp.Ordered] struct {
	read    func(ctx context.Context, after K, most int) ([]Known[K], error)
	page    []Known[K]
	present Known[K]
	there   bool
	ended   bool
}

func (w *walk[K]) advance(ctx context.Context) (err error) {
	if len(w.page) == 0 && !w.ended {
		if w.page, err = w.read(ctx, w.present.Key, knownPage); err != nil {
			return err
		}
		w.ended = len(w.page) < knownPage
	}
	if w.there = len(w.page) > 0; w.there {
		w.present, w.page = w.page[0], w.page[1:]
	}
	return nil
}
