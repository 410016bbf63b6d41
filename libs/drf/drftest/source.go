// Package drftest gives a test a real database of drf-oms in a schema of its own, to import from. Only tests import it: it starts servers.
package drftest

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/dbpair"
)

// What a running drf-oms left: 1,001 members, 4,995 orders and 1,015 tokens of knox, 25 of which are known in plain text (Tokens). All of
// it is invented. Password is that of all members but the first.
var (
	//go:embed drf-oms.sql.gz
	dump []byte
	//go:embed tokens.json
	tokens []byte
)

// Password is the password of all members of the dump but the first.
const Password = "Move#Pass2026" // #nosec G101 -- of invented members

// Sizes of the dump.
const (
	Members = 1001
	Orders  = 4995
	Tokens  = 1015
)

// Source is a database of drf-oms.
type Source struct {
	// DB is a login that may change it, as drf-oms does, and DSN one that only reads.
	DB     *sql.DB
	DSN    string
	Schema string
}

// New loads the dump into a schema of its own on the primary of a pair.
func New(t testing.TB, pair *dbpair.Pair) Source {
	t.Helper()
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	db, err := pair.Primary.Open(schema.Migrate.User, schema.Migrate.Password, schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, Load(t.Context(), db))
	return Source{
		DB: db, Schema: schema.Name,
		DSN: fmt.Sprintf("%s:%s@tcp(%s)/%s", schema.App.User, schema.App.Password, pair.Primary.Addr(), schema.Name),
	}
}

// Load loads the dump.
func Load(ctx context.Context, db *sql.DB) error {
	reader, err := gzip.NewReader(bytes.NewReader(dump))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	session, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer session.Close() //nolint:errcheck // the session is of no use any more
	for statement := range strings.SplitSeq(string(text), ";\n") {
		if statement = strings.TrimSpace(statement); statement == "" {
			continue
		}
		if _, err := session.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.100s: %w", statement, err)
		}
	}
	return nil
}

// Exec changes the source.
func (s Source) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	_, err := s.DB.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

// Unchecked changes the source past its keys and rules, as the years do.
func (s Source) Unchecked(t testing.TB, statements ...string) {
	t.Helper()
	session, err := s.DB.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	for _, statement := range append([]string{"SET foreign_key_checks = 0, sql_mode = ''"}, statements...) {
		_, err := session.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// Multiply makes so many times as many members and orders of those of the dump, all with emails and numbers of their own. Their order
// by id is that of the copies.
func (s Source) Multiply(t testing.TB, times int) {
	t.Helper()
	for copied := 1; copied < times; copied++ {
		s.Exec(t, `INSERT INTO accounts_user (id, password, email, name, nickname, phone, gender, created_at, is_active, is_admin)
			SELECT id + ?, password, CONCAT('c', ?, '.', email), name, nickname, phone, gender, created_at, is_active, is_admin
			FROM accounts_user WHERE id <= ?`, copied*Members, copied, Members)
		s.Exec(t, `INSERT INTO orders_order (id, order_number, product_name, paymented_at, customer_id)
			SELECT id + ?, CONCAT(LPAD(UPPER(CONV(?, 10, 36)), 3, '0'), SUBSTRING(order_number, 4)), product_name, paymented_at, customer_id + ?
			FROM orders_order WHERE id <= ?`, copied*Orders, copied, copied*Members, Orders)
	}
}

// LetTokensLive moves the end of all tokens, which have long expired, into the future.
func (s Source) LetTokensLive(t testing.TB) {
	t.Helper()
	s.Exec(t, "UPDATE knox_authtoken SET expiry = UTC_TIMESTAMP(6) + INTERVAL 10 HOUR")
}

// Token is a token in plain text, and whose it is.
type Token struct {
	MemberID uint64 `json:"id"`
	Token    string
}

// PlainTokens returns the tokens that are known in plain text: those of sessions that live, and those that were logged out.
func PlainTokens(t testing.TB) (live, loggedOut []Token) {
	t.Helper()
	var all struct {
		Live      []Token `json:"live_tokens"`
		LoggedOut []Token `json:"logged_out_tokens"`
	}
	require.NoError(t, json.Unmarshal(tokens, &all))
	return all.Live, all.LoggedOut
}
