package listsql

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
)

// Remembered declares how processes remember how many rows a table has, so that a page by offset need not count them all.
//
// A process remembers the number of rows up to some id, and up to some entry of the table Moves. Both are old enough that what comes before
// them is there or will never be (mysqlx.Settled). What came later is counted for each page: rows with higher ids, and what later entries
// say about the rows before. So a number is that of the page's own snapshot, on whichever server, and in whatever order transactions were
// committed. Rows that are inserted need no entry.
type Remembered struct {
	// Scope is a field: beside the number of all rows, that of the rows with one value of it is remembered. "" stands for none.
	Scope string
	// Time is the field with the time at which a row was inserted. An index begins with it.
	Time string
	// Moves has an entry for each row that was removed, or has another value of Scope since, written in the same transaction. It is kept
	// for MovesKept. Its fields are Scope, row (the row's id) and at (when it was written); its column gained is what the number gained.
	Moves *Table
}

// MovesKept is how long entries of Remembered.Moves are kept: longer than anything that was counted before them is remembered.
const MovesKept = time.Hour

const (
	rowField, atField = "row", "at"
	// fewRows is how many rows a list has at most that is counted each time, because that costs no more than to remember it.
	fewRows = 500
	// longTail is how many rows may have come or gone later before that is added to what is remembered.
	longTail = 1000
	// A number that pages still use is counted anew after renewAfter, by no request (Renew), and never used after forgetAfter. Processes of
	// the release before remove rows without entries while services are updated one by one.
	renewAfter  = 10 * time.Minute
	forgetAfter = 2 * renewAfter
	// claimedFor is for how long a request has claimed the work on a number. It may fail, and then another one does it.
	claimedFor    = 10 * time.Second
	maxRemembered = 10_000
)

// Counts remembers the numbers of a table's rows, in one schema and for one process.
type Counts struct {
	table *Table
	epoch func() uint64
	now   func() time.Time
	known *otter.Cache[scope, *known]

	mutex    sync.Mutex
	learning map[scope]*lesson
}

// lesson is the first count of a scope. ended is closed when it has ended; few says that it found too few rows to be remembered.
type lesson struct {
	ended chan struct{}
	few   bool
}

// scope says which rows are counted: all, or those with a value of the field Remembered.Scope. Numbers of an earlier epoch are not used: a
// promotion that was forced may have lost rows and entries that they count, and gives their ids to others.
type scope struct {
	epoch      uint64
	restricted bool
	value      uint64
}

// known is a number of rows: base is how many had an id up to through, after the moves up to moves and no others.
type known struct {
	base           int
	through, moves uint64
	// counted is when all rows were counted.
	counted time.Time
	// latest is the number that the last page had.
	latest atomic.Int64
	// claimed is when a request began to work on the number, in nanoseconds.
	claimed atomic.Int64
	// used says that a page has used it since it was counted.
	used atomic.Bool
}

// NewCounts returns what remembers numbers of a table's rows, as its declaration says, with the epoch of the database (mysqlx.Cluster.Epoch)
// and a clock.
func NewCounts(table *Table, epoch func() uint64, now func() time.Time) *Counts {
	return &Counts{
		table: table, epoch: epoch, now: now, learning: map[scope]*lesson{},
		known: otter.Must(&otter.Options[scope, *known]{MaximumSize: maxRemembered}),
	}
}

// Plan is the table's Plan, for a Read that goes by remembered numbers where it may.
func (c *Counts) Plan(request listing.Request, also ...Condition) (Plan, error) {
	plan, err := c.table.Plan(request, also...)
	if err != nil || request.Cursor != nil {
		return plan, err
	}
	of, remembered := c.scopeOf(plan)
	if !remembered {
		return plan, nil
	}
	plan.counts, plan.scope = c, of
	plan.known = c.find(of)
	return plan, nil
}

// find returns what is known of a scope, nil if nothing is.
func (c *Counts) find(of scope) *known {
	found, there := c.known.GetIfPresent(of)
	if !there || c.age(found) >= forgetAfter {
		return nil
	}
	found.used.Store(true)
	return found
}

// scopeOf returns the scope that the rows of a list are, if they are one.
func (c *Counts) scopeOf(plan Plan) (of scope, remembered bool) {
	of.epoch = c.epoch()
	switch {
	case len(plan.where) == 0:
		return of, true
	case len(plan.where) > 1 || plan.where[0].kind != is || plan.where[0].field != c.table.Remembered.Scope:
		return of, false
	}
	of.restricted = true
	of.value, remembered = plan.where[0].values[0].(uint64)
	return of, remembered
}

// age is how long ago the rows were counted. A clock that was set back makes no number younger.
func (c *Counts) age(of *known) time.Duration {
	if age := c.now().Sub(of.counted); age >= 0 {
		return age
	}
	return forgetAfter
}

// claim says that the caller shall do the work on a number that is due, and nobody else meanwhile.
func (c *Counts) claim(of *known) bool {
	now, before := c.now().UnixNano(), of.claimed.Load()
	since := time.Duration(now - before)
	return (since < 0 || since >= claimedFor) && of.claimed.CompareAndSwap(before, now)
}

// begin returns what is known of a scope. If that is nothing, the caller shall count the rows, and then call end, with whether they are too
// few to be remembered. While another request counts them, begin waits, so that not all who come first count the same; learns is false
// for those who waited for a count of few rows, which they make by themselves.
func (c *Counts) begin(ctx context.Context, of scope) (found *known, learns bool, end func(few bool), err error) {
	for {
		if found := c.find(of); found != nil {
			return found, false, func(bool) {}, nil
		}
		c.mutex.Lock()
		other, busy := c.learning[of]
		own := &lesson{ended: make(chan struct{})}
		if !busy {
			c.learning[of] = own
		}
		c.mutex.Unlock()
		if !busy {
			return nil, true, func(few bool) { c.end(of, own, few) }, nil
		}
		select {
		case <-other.ended:
		case <-ctx.Done():
			return nil, false, nil, ctx.Err()
		}
		if other.few {
			return nil, false, func(bool) {}, nil
		}
	}
}

func (c *Counts) end(of scope, own *lesson, few bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.learning, of)
	own.few = few
	close(own.ended)
}

// Renew counts anew what is due and was used since it was counted, one number after the other. read is mysqlx.Cluster.ReadSlowly.
func (c *Counts) Renew(ctx context.Context, read func(context.Context, func(context.Context, mysqlx.Reader) error) error) error {
	for of, from := range c.known.All() {
		if of.epoch != c.epoch() || c.age(from) < renewAfter || !from.used.Load() {
			continue
		}
		if err := read(ctx, func(ctx context.Context, reader mysqlx.Reader) error { return c.rebase(ctx, reader, of, nil) }); err != nil {
			return err
		}
	}
	return nil
}

// noted notes the number that a page had, and what came later than what is remembered. It adds that where it is much.
func (c *Counts) noted(ctx context.Context, reader Reader, of scope, from *known, count int, tail tail) error {
	from.latest.Store(int64(count))
	if max(tail.rows, tail.gained, -tail.gained) <= longTail || !c.claim(from) {
		return nil
	}
	return c.rebase(ctx, reader, of, from)
}

// rebase remembers the number of rows up to the last settled one, in two statements and the one of mysqlx.Settled. It counts all rows, or
// only those that came later than what is known.
func (c *Counts) rebase(ctx context.Context, reader Reader, of scope, from *known) error {
	before, err := mysqlx.Settled(ctx, reader)
	if err != nil {
		return c.failed(err)
	}
	to := &known{counted: c.now()}
	statement := c.last(before)
	if err := reader.QueryRowContext(ctx, statement.SQL, statement.Args...).Scan(&to.through, &to.moves); err != nil {
		return c.failed(err)
	}
	base := 0
	if from != nil {
		base, to.counted = from.base, from.counted
		to.through, to.moves = max(to.through, from.through), max(to.moves, from.moves)
		to.claimed.Store(c.now().UnixNano())
	}
	var whole, later int
	statement = c.both(of, from, to)
	if err := reader.QueryRowContext(ctx, statement.SQL, statement.Args...).Scan(&whole, &later); err != nil {
		return c.failed(err)
	}
	to.base = base + whole - later
	to.latest.Store(int64(base + whole))
	c.known.Set(of, to)
	return nil
}

func (c *Counts) failed(err error) error { return fmt.Errorf("count %s: %w", c.table.Name, err) }

// last returns the statement for the last row, and the last entry of the moves, of before a time.
func (c *Counts) last(before time.Time) Statement {
	statement := &clause{}
	for i, of := range []struct {
		table *Table
		field string
	}{{c.table, c.table.Remembered.Time}, {c.table.Remembered.Moves, atField}} {
		if i == 0 {
			statement.add("SELECT ")
		} else {
			statement.add(", ")
		}
		statement.add("COALESCE((SELECT id")
		statement.from(of.table, Below(of.field, before))
		statement.orderBy(of.table, []listing.Key{{Field: of.field, Descending: true}, {Field: idField, Descending: true}})
		statement.add(" LIMIT 1), 0)")
	}
	return Statement{statement.text.String(), statement.args}
}

// both returns the statement for two numbers of one snapshot: that of all rows, or of those that came later than from, and that of those
// that came later than to.
func (c *Counts) both(of scope, from, to *known) Statement {
	statement := &clause{}
	statement.add("SELECT (")
	if from == nil {
		statement.add("SELECT COUNT(*)")
		statement.from(c.table, c.rows(of)...)
	} else {
		c.later(statement, of, from, " + ")
	}
	statement.add("), (")
	c.later(statement, of, to, " + ")
	statement.add(")")
	return Statement{statement.text.String(), statement.args}
}

// tail is what came later than what is known: rows with higher ids, and what the rows before gained by entries of the moves.
type tail struct{ rows, gained int }

// since returns the statement for the tail of what is known.
func (c *Counts) since(of scope, from *known) Statement {
	statement := &clause{}
	statement.add("SELECT ")
	c.later(statement, of, from, ", ")
	return Statement{statement.text.String(), statement.args}
}

// later writes the two numbers of the tail of what is known, with what stands between them. Both are 0 where nothing happened.
func (c *Counts) later(statement *clause, of scope, from *known, between string) {
	statement.add("(SELECT COUNT(*)")
	statement.from(c.table, append(c.rows(of), AtLeast(idField, from.through+1))...)
	statement.add(")" + between + "(SELECT COALESCE(SUM(gained), 0)")
	statement.from(c.table.Remembered.Moves, append(c.rows(of), AtLeast(idField, from.moves+1), Below(rowField, from.through+1))...)
	statement.add(")")
}

// rows is the condition of the rows in a scope.
func (c *Counts) rows(of scope) []Condition {
	if of.restricted {
		return []Condition{Is(c.table.Remembered.Scope, of.value)}
	}
	return nil
}

// from writes which rows are read, and prescribes the index that begins with the field of the first condition.
func (c *clause) from(table *Table, conditions ...Condition) {
	c.add(" FROM " + table.Name)
	if len(conditions) > 0 {
		c.add(" FORCE INDEX (" + table.leading(conditions[0].field).Name + ")")
	}
	c.where(table, conditions)
}
