package idempotency_test

import (
	"context"
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

	"oms.internal/libs/devenv"
	"oms.internal/libs/fault"
	"oms.internal/libs/idempotency"
)

func TestMain(m *testing.M) { devenv.Main(m) }

var now = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

// schema has the table of the migrations, and one of effects.
type schema struct{ db *sql.DB }

func newSchema(t *testing.T) schema {
	t.Helper()
	pair, made := devenv.NewSchema(t)
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

// begin opens a transaction whose patience is that of the services.
func (s schema) begin(ctx context.Context) (*sql.Tx, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, "SET SESSION innodb_lock_wait_timeout = 1")
	return tx, err
}

// do is a store as the package describes it: the effect is a row, the answer its id.
func (s schema) do(ctx context.Context, request idempotency.Request, effect func(*sql.Tx) error) (answer string, replayed bool, err error) {
	tx, err := s.begin(ctx)
	if err != nil {
		return "", false, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	done, err := idempotency.Claim(ctx, tx, request, now)
	if err != nil || done != nil {
		return string(done), done != nil, err
	}
	result, err := tx.ExecContext(ctx, "INSERT INTO effect () VALUES ()")
	if err != nil {
		return "", false, err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return "", false, err
	}
	if effect != nil {
		if err := effect(tx); err != nil {
			return "", false, err
		}
	}
	answer = fmt.Sprint(id)
	if err := idempotency.Complete(ctx, tx, request, []byte(answer)); err != nil {
		return "", false, err
	}
	return answer, false, tx.Commit()
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
	_, _, err := schema.do(t.Context(), request(1, "k", "body"), func(*sql.Tx) error {
		began := time.Now()
		_, _, err := schema.do(t.Context(), request(1, "k", "body"), nil)
		require.True(t, fault.Is(err, fault.Conflict), err)
		refused, ok := errors.AsType[*mysql.MySQLError](err)
		require.True(t, ok, "mysqlx knows by it that the first try may still be under way")
		require.EqualValues(t, 1205, refused.Number)
		require.Less(t, time.Since(began), 5*time.Second)
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
	_, _, err := schema.do(t.Context(), request(1, "k", "wrong"), func(*sql.Tx) error { return refused })
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

func TestAClaimSeesWhatWasCommittedAfterItsTransactionBegan(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	tx, err := schema.begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback() //nolint:errcheck // nothing was written
	var zero int
	require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM idempotency_keys").Scan(&zero))
	_, _, err = schema.do(t.Context(), request(1, "k", "body"), nil)
	require.NoError(t, err)
	answer, err := idempotency.Claim(t.Context(), tx, request(1, "k", "body"), now)
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		// MariaDB's innodb_snapshot_isolation: the transaction has to be run again, as mysqlx does.
		require.EqualValues(t, 1020, refused.Number)
		return
	}
	require.NoError(t, err)
	require.Equal(t, "1", string(answer))
}

func TestAnEmptyAnswerIsAnAnswer(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	tx, err := schema.begin(t.Context())
	require.NoError(t, err)
	_, err = idempotency.Claim(t.Context(), tx, request(1, "k", ""), now)
	require.NoError(t, err)
	require.NoError(t, idempotency.Complete(t.Context(), tx, request(1, "k", ""), nil))
	require.NoError(t, tx.Commit())
	answer, replayed, err := schema.do(t.Context(), request(1, "k", ""), nil)
	require.NoError(t, err)
	require.True(t, replayed)
	require.Empty(t, answer)
}

func TestMistakesOfTheProgramAreNoticed(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	tx, err := schema.begin(t.Context())
	require.NoError(t, err)
	require.Error(t, idempotency.Complete(t.Context(), tx, request(1, "k", ""), []byte("x")), "not claimed")
	_, err = idempotency.Claim(t.Context(), tx, request(1, "k", ""), now)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	_, _, err = schema.do(t.Context(), request(1, "k", ""), nil)
	require.Error(t, err, "committed without an answer")
}

func TestCleaningTakesTheOldestSoManyAtATimeAndBlocksNobody(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for i := range 10 {
		_, err := schema.db.ExecContext(t.Context(),
			"INSERT INTO idempotency_keys (caller_id, key_digest, fingerprint, answer, created_at) VALUES (?, ?, '', '', ?)",
			i, fmt.Sprintf("%032d", i), now.Add(time.Duration(i-24)*time.Hour))
		require.NoError(t, err)
	}
	clean := func(most int) int64 {
		tx, err := schema.begin(t.Context())
		require.NoError(t, err)
		deleted, err := idempotency.Clean(t.Context(), tx, now.Add(-17*time.Hour), most)
		require.NoError(t, err)
		// It has deleted, and not committed; a request now is neither behind it nor before it.
		_, _, err = schema.do(t.Context(), request(100, fmt.Sprint(most), "body"), nil)
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		return deleted
	}
	require.EqualValues(t, 5, clean(5))
	require.EqualValues(t, 2, clean(6))
	require.EqualValues(t, 0, clean(7))
	var left int
	require.NoError(t, schema.db.QueryRowContext(t.Context(), "SELECT MIN(caller_id) FROM idempotency_keys WHERE caller_id < 100").Scan(&left))
	require.Equal(t, 7, left)
}

func TestKeysAreVisibleASCII(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "a", "!~", `"8e03978e-40d5-43dd-bc93-6894a57f9324"`, strings.Repeat("x", 255)} {
		parsed, err := idempotency.ParseKey(key)
		require.NoError(t, err)
		require.Equal(t, key, parsed)
	}
	for _, key := range []string{" ", "a b", "a\n", "a\x00", "a\x7f", "é", strings.Repeat("x", 256)} {
		_, err := idempotency.ParseKey(key)
		require.True(t, fault.Is(err, fault.Malformed), key)
	}
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
