package mysqlx

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/go-sql-driver/mysql"

	"oms.internal/libs/fault"
)

// Error numbers of MySQL and MariaDB that this package handles. Both name them in their references: MySQL in "Server Error Message
// Reference", MariaDB in "Error Codes".
const (
	tooManyConnections  = 1040
	serverShutdown      = 1053
	noSuchColumn        = 1054
	duplicateEntry      = 1062
	noSuchTable         = 1146
	noSuchIndex         = 1176
	errorDuringCommit   = 1180
	lockWaitTimeout     = 1205
	deadlock            = 1213
	snapshotConflict    = 1020
	readOnlyOption      = 1290
	queryInterrupted    = 1317
	readOnlyTransaction = 1792
	readOnlyMode        = 1836
	connectionKilled    = 1927
	statementTimeout    = 1969 // MariaDB
	queryTimeout        = 3024 // MySQL
)

var (
	errNoPrimary = errors.New("no primary")
	errReplaced  = errors.New("another server became the primary meanwhile")
)

// IsDuplicate reports whether err says that a row with the same unique key exists.
func IsDuplicate(err error) bool { return hasNumber(err, duplicateEntry) }

// IsLockTimeout reports whether err says that another transaction held a row for longer than a statement waits.
func IsLockTimeout(err error) bool { return hasNumber(err, lockWaitTimeout) }

func isConflict(err error) bool {
	return hasNumber(err, deadlock, lockWaitTimeout, snapshotConflict)
}

// mayRepeat reports whether a transaction met another one and may succeed the next time. If work returned a fault, it has decided.
func mayRepeat(err error) bool { return !decided(err) && isConflict(err) }

// decided reports whether a transaction ended as its work wanted: with success, or with a fault that work returned.
func decided(err error) bool {
	_, isFault := errors.AsType[*fault.Error](err)
	return err == nil || isFault
}

// lost reports whether the server went away, or was no primary any more, before anything was written.
func lost(err error) bool {
	return !decided(err) && (errors.Is(err, errNoPrimary) || connectionFailed(err) || isReadOnly(err))
}

// isReadOnly reports whether the server refused a write because it is no primary any more.
func isReadOnly(err error) bool {
	return hasNumber(err, readOnlyOption, readOnlyTransaction, readOnlyMode)
}

func hasNumber(err error, numbers ...uint16) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && slices.Contains(numbers, refused.Number)
}

// lacksSchema reports whether the server has not got a table, a column or an index. A replica gets those of a migration after
// the primary, and later than its lag says, since it takes as long for them as the primary did.
func lacksSchema(err error) bool { return hasNumber(err, noSuchTable, noSuchColumn, noSuchIndex) }

// connectionFailed reports whether the connection or the server is the reason, and not the statement.
func connectionFailed(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || errors.Is(err, mysql.ErrNoTLS) {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		hasNumber(err, tooManyConnections, serverShutdown, queryInterrupted, connectionKilled)
}

// asFault turns an error into a fault: Timeout, or Unavailable if the servers are the reason. A fault, and any other error, stays as it is.
func asFault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch {
	case ctx.Err() != nil, hasNumber(err, statementTimeout, queryTimeout):
		return fault.NewTimeout(err)
	case errors.Is(err, errNoPrimary), connectionFailed(err), isReadOnly(err), isConflict(err):
		return fault.NewUnavailable(err)
	}
	return err
}
