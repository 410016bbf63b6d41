// Package idempotency makes a request that is sent again have the effect of one: its key, a fingerprint of what it asks
// for, and the result are written in the transaction of the effect, so that there is never one without the other.
//
// A store begins its transaction with Claim. An answer means that the request was done before, and is the answer again;
// otherwise the store does what was asked and calls Complete with what it will answer:
//
//	answer, err := idempotency.Claim(ctx, tx, request, now)
//	if err != nil || answer != nil {
//		return …
//	}
//	… the effect …
//	err = idempotency.Complete(ctx, tx, request, encoded)
//
// A request that fails rolls its claim back with everything else, and may be sent again under the same key. The package
// knows one table, idempotency_keys, which each schema has for it.
package idempotency

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/libs/fault"
)

const (
	// Header carries the key that a client gives a request.
	Header = "Idempotency-Key"
	// HeaderReplayed is "true" in an answer that was given before.
	HeaderReplayed = "Idempotency-Replayed"
)

const maxKeyLength = 255

// Request is what makes two requests the same.
type Request struct {
	// CallerID is the member who asks, 0 for anonymous callers: each member has keys of its own.
	CallerID uint64
	// Key is what the client chose. "" is a request without a key, for which Claim and Complete do nothing.
	Key string
	// Fingerprint is of everything that decides what the request does.
	Fingerprint [sha256.Size]byte
}

// Tx is the part of a transaction that is needed here. mysqlx.Writer fits.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// ParseKey reads a key from the header: 1 to 255 visible ASCII characters. A header that is missing or empty gives none.
func ParseKey(header string) (string, error) {
	if len(header) > maxKeyLength {
		return "", malformedKey()
	}
	for _, char := range []byte(header) {
		if char < '!' || char > '~' {
			return "", malformedKey()
		}
	}
	return header, nil
}

func malformedKey() error {
	return fault.New(fault.Malformed,
		fmt.Sprintf("%s must be 1 to %d visible ASCII characters.", Header, maxKeyLength), nil)
}

// Fingerprint returns a digest of all parts, in their order. Each counts with its length, so that what moves from one
// part to the next is another request.
func Fingerprint(parts ...[]byte) [sha256.Size]byte {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// lockWaitTimeout is MySQL's and MariaDB's number of the error for a row that was locked for too long.
const lockWaitTimeout = 1205

// errAnswerless can only be found when somebody commits a claim without its answer, which is a mistake in the program.
var errAnswerless = errors.New("idempotency: a claim was committed without an answer")

// Claim notes in the transaction that the request is being done. It returns the answer, which is then not nil, when that
// was completed before. While another transaction does the request, Claim waits as long as the session waits for a lock.
//
// Faults: KeyReused where the key belongs to another request; Conflict while the request is still being done.
func Claim(ctx context.Context, tx Tx, request Request, now time.Time) (answer []byte, err error) {
	if request.Key == "" {
		return nil, nil
	}
	digest := sha256.Sum256([]byte(request.Key))
	// What exists is not written again, but locked; so it is still there for the next statement.
	result, err := tx.ExecContext(ctx,
		"INSERT IGNORE INTO idempotency_keys (caller_id, key_digest, fingerprint, created_at) VALUES (?, ?, ?, ?)",
		request.CallerID, digest[:], request.Fingerprint[:], now.UTC())
	if err != nil {
		return nil, claimFailed(err)
	}
	if inserted, err := result.RowsAffected(); err != nil || inserted == 1 {
		return nil, err
	}
	var fingerprint []byte
	var stored sql.Null[[]byte]
	// A plain SELECT would see the table as it was at the transaction's first one, which may be before the answer.
	row := tx.QueryRowContext(ctx,
		"SELECT fingerprint, answer FROM idempotency_keys WHERE caller_id = ? AND key_digest = ? LOCK IN SHARE MODE",
		request.CallerID, digest[:])
	switch err := row.Scan(&fingerprint, &stored); {
	case err != nil:
		return nil, claimFailed(err)
	case string(fingerprint) != string(request.Fingerprint[:]):
		return nil, fault.New(fault.KeyReused, fmt.Sprintf("This %s was used for another request.", Header), nil)
	case !stored.Valid:
		return nil, errAnswerless
	}
	return append([]byte{}, stored.V...), nil
}

func claimFailed(err error) error {
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == lockWaitTimeout {
		return fault.New(fault.Conflict,
			fmt.Sprintf("A request with this %s is still being processed.", Header), err)
	}
	return fmt.Errorf("claim idempotency key: %w", err)
}

// Complete stores the answer of a request that the same transaction has claimed.
func Complete(ctx context.Context, tx Tx, request Request, answer []byte) error {
	if request.Key == "" {
		return nil
	}
	digest := sha256.Sum256([]byte(request.Key))
	result, err := tx.ExecContext(ctx,
		"UPDATE idempotency_keys SET answer = ? WHERE caller_id = ? AND key_digest = ? AND answer IS NULL",
		append([]byte{}, answer...), request.CallerID, digest[:])
	if err != nil {
		return fmt.Errorf("complete idempotency key: %w", err)
	}
	completed, err := result.RowsAffected()
	if err == nil && completed != 1 {
		err = errors.New("idempotency: completed what was not claimed")
	}
	return err
}

// Clean deletes keys that were claimed before a time, the oldest first and at most so many, and returns how many it
// deleted. Called again until it returns fewer than most, it leaves none.
func Clean(ctx context.Context, tx Tx, before time.Time, most int) (int64, error) {
	old, err := oldest(ctx, tx, before, most)
	if err != nil {
		return 0, fmt.Errorf("clean idempotency keys: %w", err)
	}
	var deleted int64
	for _, key := range old {
		// By its primary key, which locks the row alone. A range of times would also lock the gap at its end, where the
		// keys of present requests are inserted.
		result, err := tx.ExecContext(ctx, "DELETE FROM idempotency_keys WHERE caller_id = ? AND key_digest = ?",
			key.callerID, key.digest)
		if err != nil {
			return 0, fmt.Errorf("clean idempotency keys: %w", err)
		}
		count, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		deleted += count
	}
	return deleted, nil
}

type storedKey struct {
	callerID uint64
	digest   []byte
}

func oldest(ctx context.Context, tx Tx, before time.Time, most int) (keys []storedKey, err error) {
	rows, err := tx.QueryContext(ctx,
		"SELECT caller_id, key_digest FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?", before.UTC(), most)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var key storedKey
		if err := rows.Scan(&key.callerID, &key.digest); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}
