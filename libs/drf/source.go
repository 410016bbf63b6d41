package drf

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Name is that of the other system, in events.
const Name = "drf-oms"

const (
	dialTimeout = 10 * time.Second
	// sourceTimeout bounds one read from the source, which may be busy with its own work.
	sourceTimeout = time.Minute
	noSuchTable   = 1146
	noSuchColumn  = 1054
)

// Source is a database of drf-oms as it was at one moment.
type Source struct {
	db   *sql.DB
	conn *sql.Conn
}

// Open begins to look at a source. Close ends that, and must come soon.
func Open(ctx context.Context, dsn string) (*Source, error) {
	settings, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("the source: %w; it has the form user:password@tcp(host:3306)/database", err)
	}
	if settings.DBName == "" {
		return nil, errors.New("the source names no database: user:password@tcp(host:3306)/database")
	}
	// Times stay the texts that the server sends. Django keeps them in UTC.
	settings.ParseTime, settings.InterpolateParams, settings.MultiStatements = false, true, false
	settings.Collation = "utf8mb4_general_ci"
	settings.Timeout, settings.ReadTimeout, settings.WriteTimeout = dialTimeout, sourceTimeout, sourceTimeout
	connector, err := mysql.NewConnector(settings)
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	source := &Source{db: sql.OpenDB(connector)}
	if err := source.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the source: %w", err), source.Close())
	}
	return source, nil
}

func (s *Source) begin(ctx context.Context) (err error) {
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	for _, statement := range []string{
		"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the transaction and releases the source.
func (s *Source) Close() error {
	if s.conn == nil {
		return s.db.Close()
	}
	_, err := s.conn.ExecContext(context.Background(), "ROLLBACK")
	return errors.Join(err, s.conn.Close(), s.db.Close())
}

// count returns the only number of a query.
func (s *Source) count(ctx context.Context, query string, args ...any) (count int, err error) {
	err = s.conn.QueryRowContext(ctx, query, args...).Scan(&count)
	return count, explain(err)
}

// each hands over the rows of a query, which are only valid until the next one.
func (s *Source) each(ctx context.Context, query string, args []any, row func([]sql.RawBytes) error) (err error) {
	rows, err := s.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return explain(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	fields := make([]sql.RawBytes, len(columns))
	into := make([]any, len(columns))
	for i := range fields {
		into[i] = &fields[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := row(fields); err != nil {
			return err
		}
	}
	return rows.Err()
}

func explain(err error) error {
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && (refused.Number == noSuchTable || refused.Number == noSuchColumn) {
		return fmt.Errorf("the source is no database of drf-oms: %w", err)
	}
	if err != nil {
		return fmt.Errorf("the source: %w", err)
	}
	return nil
}

// ParseTime reads a time as the source sends it.
func ParseTime(text string) (time.Time, error) {
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, time.UTC)
	if err != nil || at.Year() < 1 {
		return time.Time{}, fmt.Errorf("%q is no time", text)
	}
	return at, nil
}

// ParseID reads an id.
func ParseID(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 63)
	if err != nil || id == 0 {
		return 0, fmt.Errorf("%q is no id", text)
	}
	return id, nil
}
