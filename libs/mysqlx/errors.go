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
	snapshotConflict    = 1020
	tooManyConnections  = 1040
	serverShutdown      = 1053
	noSuchColumn        = 1054
	duplicateEntry      = 1062
	noThread            = 1135
	noSuchTable         = 1146
	noSuchIndex         = 1176
	errorDuringCommit   = 1180
	tooManyOfUser       = 1203
	lockWaitTimeout     = 1205
	deadlock            = 1213
	userLimitReached    = 1226
	readOnlyOption      = 1290
	queryInterrupted    = 1317
	readOnlyTransaction = 1792
	readOnlyMode        = 1836
	engineReadOnly      = 1874
	forcedRecovery      = 1881 // MySQL
	connectionKilled    = 1927
	schemaDenied        = 1044
	notGranted          = 1141
	tableDenied         = 1142
	privilegeDenied     = 1227
	routineDenied       = 1370
	userDenied          = 1410
	statementTimeout    = 1969 // MariaDB
	queryTimeout        = 3024 // MySQL
	offline             = 3032
)

// full are the errors of a server that cannot do its work for now, because it lacks space on a disk, or memory, or a file cannot be written.
// Servers send numbers below 1000 for failed files; MySQL's reference calls those "Global Error Message Reference".
var full = []uint16{
	1,    // a temporary file cannot be made
	3,    // a file cannot be written
	5,    // memory
	20,   // the disk is full
	1021, // the disk is full
	1026, // a file cannot be written: the binary log or a temporary file
	1030, // the storage engine failed, with an error of the operating system such as 28, no space left
	1037, // memory
	1041, // memory
	1114, // the table is full: its file cannot grow
	1206, // memory for locks
	1598, // the binary log cannot be written
	1637, // places for transactions that undo
	1878, // a temporary file cannot be written
	3675, // the disk is full (MySQL)
}

var (
	errNoPrimary = errors.New("no primary")
	errReplaced  = errors.New("another server became the primary meanwhile")
)

// IsDuplicate reports whether err says that a row with the same unique key exists.
func IsDuplicate(err error) bool { return hasNumber(err, duplicateEntry) }

// IsDenied reports whether err says that the user lacks a right.
func IsDenied(err error) bool {
	return hasNumber(err, schemaDenied, tableDenied, privilegeDenied, routineDenied, userDenied)
}

// IsNotGranted reports whether err says that a right which is to be revoked was not granted.
func IsNotGranted(err error) bool { return hasNumber(err, notGranted) }

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

// isReadOnly reports whether the server refused a write because it takes none: it is no primary any more, or its engine only reads.
func isReadOnly(err error) bool {
	return hasNumber(err, readOnlyOption, readOnlyTransaction, readOnlyMode, engineReadOnly, forcedRecovery)
}

// isFull reports whether the server cannot write for now. The statement is not at fault, and may succeed later.
func isFull(err error) bool { return hasNumber(err, full...) }

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
		hasNumber(err, tooManyConnections, tooManyOfUser, userLimitReached, noThread, offline,
			serverShutdown, queryInterrupted, connectionKilled)
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
	case errors.Is(err, errNoPrimary), connectionFailed(err), isReadOnly(err), isConflict(err), isFull(err):
		return fault.NewUnavailable(err)
	}
	return err
}
