// Package idempotency makes a request that is sent again have the effect of one: its key, a fingerprint of what it asks
// for, and the answer are written in the transaction of the effect, so that there is never one without the other. A request
// that fails rolls its claim back with everything else, and may be sent again under the same key.
//
// The package knows one table, idempotency_keys, which each schema has for it. A Cleaner keeps it small.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

// Request is what makes two requests the same.
type Request struct {
	// CallerID is the member who asks, 0 for anonymous callers: each member has keys of its own.
	CallerID uint64
	// Key is what the client chose. "" is a request without a key, of which nothing is remembered.
	Key string
	// Fingerprint is of everything that decides what the request does.
	Fingerprint [sha256.Size]byte
	// FormerFingerprint is what the release before may have taken for it, so that a request which that release did is known
	// again. Zero stands for nothing else.
	FormerFingerprint [sha256.Size]byte
}

// Database is where the table is: a *mysqlx.Cluster, but in tests.
type Database interface {
	Write(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error
	WriteOnce(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error
}

// Once has work done in a transaction, unless the request was done before. work returns the answer to keep, and may run more
// than once; Once returns that answer or, with replayed true, the one that was kept. Without a key work is simply done.
//
// Faults besides those of work: KeyReused where the key belongs to another request; Conflict where another transaction does
// the request, and is not ready within the session's time for a lock.
func Once(ctx context.Context, db Database, request Request, now time.Time,
	work func(context.Context, mysqlx.Writer) (answer []byte, err error),
) (answer []byte, replayed bool, err error) {
	if request.Key == "" {
		err = db.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) (err error) {
			answer, err = work(ctx, tx)
			return err
		})
		return answer, false, err
	}
	var own []byte // the answer of the last time that work ran, nil if it never did
	err = db.WriteOnce(ctx, func(ctx context.Context, tx mysqlx.Writer) (err error) {
		if answer, err = claim(ctx, tx, request, now); answer != nil || err != nil {
			return err
		}
		if answer, err = work(ctx, tx); err != nil {
			return err
		}
		own = append([]byte{}, answer...)
		return complete(ctx, tx, request, own)
	})
	if err != nil {
		return nil, false, err
	}
	// After a COMMIT whose outcome was unknown, the answer that was found is this request's own, and no repetition.
	return answer, own == nil || !bytes.Equal(answer, own), nil
}

// errNew rolls back a search that found nothing, so that it does not count as a write.
var errNew = errors.New("a request that was not made before")

// Find returns the answer that was kept of the request, nil where there is none. It waits for a request that is being done.
// It runs in a transaction, so that the caller gets a token for what the answer tells. It claims nothing: when a claim is
// rolled back, the database would end all but one of the claims that wait for it as deadlocks. Faults are those of Once.
func Find(ctx context.Context, db Database, request Request) (answer []byte, err error) {
	err = db.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) (err error) {
		answer, err = kept(ctx, tx, request)
		if errors.Is(err, sql.ErrNoRows) {
			return errNew
		}
		return err
	})
	if errors.Is(err, errNew) {
		return nil, nil
	}
	return answer, err
}

// Fingerprint returns a digest of all parts, in their order. The length of each part counts, too: a text that moves from
// one part to the next makes another request.
func Fingerprint(parts ...[]byte) [sha256.Size]byte {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// errAnswerless is a mistake in the program: only a claim that was committed without its answer leads here.
var errAnswerless = errors.New("idempotency: a claim was committed without an answer")

// claim notes in the transaction that the request is being done. If it was done before, claim returns its answer, which is
// never nil. While another transaction does the request, claim waits as long as the session waits for a lock.
func claim(ctx context.Context, tx mysqlx.Writer, request Request, now time.Time) (answer []byte, err error) {
	digest := sha256.Sum256([]byte(request.Key))
	// INSERT IGNORE leaves a row that exists as it is, but locks it, so that the next statement still finds it.
	result, err := tx.ExecContext(ctx,
		"INSERT IGNORE INTO idempotency_keys (caller_id, key_digest, fingerprint, created_at) VALUES (?, ?, ?, ?)",
		request.CallerID, digest[:], request.Fingerprint[:], now.UTC())
	if err != nil {
		return nil, lockFailed(err)
	}
	if inserted, err := result.RowsAffected(); err != nil || inserted == 1 {
		return nil, err
	}
	return kept(ctx, tx, request)
}

// kept returns the answer of a request that was done, and sql.ErrNoRows where there is none.
func kept(ctx context.Context, tx mysqlx.Writer, request Request) ([]byte, error) {
	digest := sha256.Sum256([]byte(request.Key))
	var fingerprint []byte
	var stored sql.Null[[]byte]
	// A plain SELECT would see the table as it was at the transaction's first one, which may be before the answer.
	row := tx.QueryRowContext(ctx,
		"SELECT fingerprint, answer FROM idempotency_keys WHERE caller_id = ? AND key_digest = ? LOCK IN SHARE MODE",
		request.CallerID, digest[:])
	switch err := row.Scan(&fingerprint, &stored); {
	case err != nil:
		return nil, lockFailed(err)
	case !bytes.Equal(fingerprint, request.Fingerprint[:]) && !bytes.Equal(fingerprint, request.FormerFingerprint[:]):
		return nil, fault.New(fault.KeyReused, "This Idempotency-Key was used for another request.", nil)
	case !stored.Valid:
		return nil, errAnswerless
	}
	return append([]byte{}, stored.V...), nil
}

func lockFailed(err error) error {
	if mysqlx.IsLockTimeout(err) {
		return fault.NewInProgress(err)
	}
	return fmt.Errorf("idempotency key: %w", err)
}

// complete stores the answer, which must not be nil, of a request that the same transaction has claimed.
func complete(ctx context.Context, tx mysqlx.Writer, request Request, answer []byte) error {
	digest := sha256.Sum256([]byte(request.Key))
	_, err := tx.ExecContext(ctx, "UPDATE idempotency_keys SET answer = ? WHERE caller_id = ? AND key_digest = ?",
		answer, request.CallerID, digest[:])
	if err != nil {
		return fmt.Errorf("complete idempotency key: %w", err)
	}
	return nil
}
