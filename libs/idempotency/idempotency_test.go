package idempotency_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/mysqlx"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) { testservers.Main(m) }

var now = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

// schema has the table of the migrations, and one of effects.
type schema struct{ db *sql.DB }

func newSchema(t *testing.T) schema {
	t.Helper()
	pair, made := testservers.NewSchema(t)
	root, err := pair.Primary.Open(made.Migrate.User, made.Migrate.Password, made.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	for _, statement := range []string{migration(t, "idempotency_keys"), "CREATE TABLE effect (id INT AUTO_INCREMENT PRIMARY KEY)"} {
		_, err := root.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	db, err := pair.Primary.Open(made.App.User, made.App.Password, made.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return schema{db}
}

// migration is how the services make a table.
func migration(t *testing.T, table string) string {
	t.Helper()
	text, err := os.ReadFile("../../sql/orders/migrations/00003_idempotency_and_events.sql")
	require.NoError(t, err)
	found := regexp.MustCompile(`(?s)CREATE TABLE ` + table + ` .*?;`).FindString(string(text))
	require.NotEmpty(t, found)
	return found
}

// Write runs work in a transaction whose patience is that of the services.
func (s schema) Write(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if _, err := tx.ExecContext(ctx, "SET SESSION innodb_lock_wait_timeout = 1"); err != nil {
		return err
	}
	if err := work(ctx, mysqlx.Writer{Tx: tx}); err != nil {
		return err
	}
	return tx.Commit()
}

// WriteOnce is Write: here no COMMIT is lost.
func (s schema) WriteOnce(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error {
	return s.Write(ctx, work)
}

// do has an effect once: a row, whose id is the answer. more is done in the same transaction.
func do(ctx context.Context, db idempotency.Database, request idempotency.Request, more func() error) (string, bool, error) {
	answer, replayed, err := idempotency.Once(ctx, db, request, now, func(ctx context.Context, tx mysqlx.Writer) ([]byte, error) {
		result, err := tx.ExecContext(ctx, "INSERT INTO effect () VALUES ()")
		if err != nil {
			return nil, err
		}
		id, err := result.LastInsertId()
		if err == nil && more != nil {
			err = more()
		}
		return []byte(fmt.Sprint(id)), err
	})
	return string(answer), replayed, err
}

func (s schema) do(ctx context.Context, request idempotency.Request, more func() error) (answer string, replayed bool, err error) {
	return do(ctx, s, request, more)
}

func (s schema) count(t *testing.T, table string) int {
	t.Helper()
	var count int
	require.NoError(t, s.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&count))
	return count
}

func request(caller uint64, key, body string) idempotency.Request {
	return idempotency.Request{CallerID: caller, Key: key, Fingerprint: idempotency.Fingerprint([]byte(body))}
}

func TestTheSameRequestAgainGetsTheSameAnswerAndHasNoEffect(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	first, replayed, err := schema.do(t.Context(), request(1, "k", "body"), nil)
	require.NoError(t, err)
	require.False(t, replayed)
	for range 3 {
		again, replayed, err := schema.do(t.Context(), request(1, "k", "body"), nil)
		require.NoError(t, err)
		require.True(t, replayed)
		require.Equal(t, first, again)
	}
	require.Equal(t, 1, schema.count(t, "effect"))
}

func TestAnEmptyAnswerIsKeptAndRepeatedLikeAnyOther(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for i, empty := range [][]byte{nil, {}} {
		one := request(1, fmt.Sprint(i), "body")
		runs := 0
		for repetition := range 3 {
			answer, replayed, err := idempotency.Once(t.Context(), schema, one, now, func(context.Context, mysqlx.Writer) ([]byte, error) {
				runs++
				return empty, nil
			})
			require.NoError(t, err)
			require.Empty(t, answer)
			require.Equal(t, repetition > 0, replayed)
		}
		require.Equal(t, 1, runs)
		found, err := idempotency.Find(t.Context(), schema, one)
		require.NoError(t, err)
		require.NotNil(t, found)
		require.Empty(t, found)
	}
}

func TestAKeyBelongsToOneCallerAndIsComparedByteByByte(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for _, one := range []idempotency.Request{
		request(0, "k", "body"), request(1, "k", "body"), request(2, "k", "other"), request(1, "K", "body"),
		request(1, strings.Repeat("k", 255), "body"), request(1, strings.Repeat("k", 254), "body"),
	} {
		_, replayed, err := schema.do(t.Context(), one, nil)
		require.NoError(t, err)
		require.False(t, replayed)
	}
	require.Equal(t, 6, schema.count(t, "effect"))
}

func TestARequestThatTheReleaseBeforeDidIsKnownByItsFormerFingerprint(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	first, _, err := schema.do(t.Context(), request(1, "k", "former"), nil)
	require.NoError(t, err)
	now := request(1, "k", "body")
	now.FormerFingerprint = idempotency.Fingerprint([]byte("former"))
	again, replayed, err := schema.do(t.Context(), now, nil)
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first, again)
}

func TestAKeyOfAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	_, _, err := schema.do(t.Context(), request(1, "k", "body"), nil)
	require.NoError(t, err)
	_, _, err = schema.do(t.Context(), request(1, "k", "another body"), nil)
	require.True(t, fault.Is(err, fault.KeyReused), err)
	require.Equal(t, 1, schema.count(t, "effect"))
}

func TestWithoutAKeyNothingIsRemembered(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for range 2 {
		_, replayed, err := schema.do(t.Context(), request(1, "", "body"), nil)
		require.NoError(t, err)
		require.False(t, replayed)
	}
	require.Equal(t, 2, schema.count(t, "effect"))
	require.Zero(t, schema.count(t, "idempotency_keys"))
}

func TestARequestInFlightIsAConflictWithTheReasonAsItsCause(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	_, _, err := schema.do(t.Context(), request(1, "k", "body"), func() error {
		_, _, err := schema.do(t.Context(), request(1, "k", "body"), nil)
		require.True(t, fault.Is(err, fault.Conflict), err)
		refused, ok := errors.AsType[*mysql.MySQLError](err)
		require.True(t, ok, "mysqlx knows by it that the first try may still be under way")
		require.EqualValues(t, 1205, refused.Number)
		_, _, err = schema.do(t.Context(), request(1, "another key", "body"), nil)
		require.NoError(t, err, "other requests do not wait")
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 2, schema.count(t, "effect"))
}

func TestAFailureFreesTheKey(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	refused := errors.New("refused")
	_, _, err := schema.do(t.Context(), request(1, "k", "wrong"), func() error { return refused })
	require.ErrorIs(t, err, refused)
	_, replayed, err := schema.do(t.Context(), request(1, "k", "right"), nil)
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, 1, schema.count(t, "effect"))
}

func TestOfManyRequestsAtOnceOneHasAnEffectAndAllTheSameAnswer(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	const keys, requests = 20, 4
	for key := range keys {
		var group sync.WaitGroup
		answers := make(chan string, requests)
		for range requests {
			group.Go(func() {
				for {
					answer, _, err := schema.do(t.Context(), request(1, fmt.Sprint(key), "body"), nil)
					if err == nil {
						answers <- answer
						return
					}
					// Whoever waits for a row that is rolled back may be a victim of a deadlock; mysqlx runs it again.
					var refused *mysql.MySQLError
					if !errors.As(err, &refused) {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		close(answers)
		require.Len(t, answers, requests)
		first := <-answers
		for answer := range answers {
			require.Equal(t, first, answer)
		}
	}
	require.Equal(t, keys, schema.count(t, "effect"))
}

// forgetful commits, loses the answer, and runs the work again.
type forgetful struct{ schema }

func (f forgetful) WriteOnce(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error {
	if err := f.Write(ctx, work); err != nil {
		return err
	}
	return f.Write(ctx, work)
}

func TestARequestWhoseCommitIsUnknownForAWhileIsNoReplay(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	answer, replayed, err := do(t.Context(), forgetful{schema}, request(1, "k", "body"), nil)
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, 1, schema.count(t, "effect"))
	again, replayed, err := do(t.Context(), forgetful{schema}, request(1, "k", "body"), nil)
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, answer, again)
}

func TestFindingARequestClaimsNothing(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	kept, err := idempotency.Find(t.Context(), schema, request(1, "k", "body"))
	require.NoError(t, err)
	require.Nil(t, kept)
	require.Zero(t, schema.count(t, "idempotency_keys"))
	answer, _, err := schema.do(t.Context(), request(1, "k", "body"), func() error {
		_, err := idempotency.Find(t.Context(), schema, request(1, "k", "body"))
		require.True(t, fault.Is(err, fault.Conflict), "it is being done: %v", err)
		return nil
	})
	require.NoError(t, err)
	kept, err = idempotency.Find(t.Context(), schema, request(1, "k", "body"))
	require.NoError(t, err)
	require.Equal(t, answer, string(kept))
	_, err = idempotency.Find(t.Context(), schema, request(1, "k", "another body"))
	require.True(t, fault.Is(err, fault.KeyReused), err)
}

func TestManyWhoLookForANewRequestAtOnceAreAllAnswered(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	const keys, requests = 50, 8
	for key := range keys {
		var group sync.WaitGroup
		for range requests {
			group.Go(func() {
				kept, err := idempotency.Find(t.Context(), schema, request(0, fmt.Sprint(key), "body"))
				if kept != nil || err != nil {
					t.Errorf("key %d: %s, %v", key, kept, err)
				}
			})
		}
		group.Wait()
	}
}

// late is a schema whose transactions have looked at the keys before they claim one.
type late struct {
	schema
	meanwhile func()
}

func (l late) WriteOnce(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error {
	return l.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
		var count int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM idempotency_keys").Scan(&count); err != nil {
			return err
		}
		l.meanwhile()
		return work(ctx, tx)
	})
}

func TestWhatWasCommittedAfterTheTransactionBeganIsSeen(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	var first string
	answer, replayed, err := do(t.Context(), late{schema, func() {
		var err error
		first, _, err = schema.do(t.Context(), request(1, "k", "body"), nil)
		require.NoError(t, err)
	}}, request(1, "k", "body"), nil)
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		// MariaDB's innodb_snapshot_isolation: the transaction has to be run again, as mysqlx does.
		require.EqualValues(t, 1020, refused.Number)
		return
	}
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first, answer)
}

func TestAClaimWithoutAnAnswerIsNoAnswer(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	one := request(1, "k", "body")
	digest := sha256.Sum256([]byte(one.Key))
	_, err := schema.db.ExecContext(t.Context(),
		"INSERT INTO idempotency_keys (caller_id, key_digest, fingerprint, created_at) VALUES (1, ?, ?, ?)", digest[:], one.Fingerprint[:], now)
	require.NoError(t, err)
	_, _, err = schema.do(t.Context(), one, nil)
	require.ErrorContains(t, err, "without an answer")
}

func TestAFingerprintIsOfThePartsAndTheirBorders(t *testing.T) {
	t.Parallel()
	join := func(parts ...string) [32]byte {
		var all [][]byte
		for _, part := range parts {
			all = append(all, []byte(part))
		}
		return idempotency.Fingerprint(all...)
	}
	different := map[[32]byte]bool{}
	for _, one := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"b", "a"}, {"ab", ""}, {"", "ab"}, {"a", "b"}} {
		different[join(one...)] = true
	}
	require.Len(t, different, 8)
}
