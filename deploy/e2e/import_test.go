package e2e

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// drfTables are those of drf-oms that an import reads, as its migrations make them.
var drfTables = []string{
	`CREATE TABLE accounts_user (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, password VARCHAR(128) NOT NULL, last_login DATETIME(6) NULL,
		email VARCHAR(100) NOT NULL UNIQUE, name VARCHAR(20) NOT NULL, nickname VARCHAR(30) NOT NULL, phone VARCHAR(20) NOT NULL, gender VARCHAR(1) NULL,
		created_at DATETIME(6) NOT NULL, is_active TINYINT(1) NOT NULL, is_admin TINYINT(1) NOT NULL) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
	`CREATE TABLE orders_order (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_number VARCHAR(12) NOT NULL UNIQUE, product_name VARCHAR(100) NOT NULL,
		paymented_at DATETIME(6) NOT NULL, customer_id INT NOT NULL) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
	`CREATE TABLE knox_authtoken (digest VARCHAR(128) NOT NULL PRIMARY KEY, created DATETIME(6) NOT NULL, user_id INT NOT NULL, expiry DATETIME(6) NULL,
		token_key VARCHAR(8) NOT NULL) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
}

// drf is a database of drf-oms beside those of the system.
type drf struct {
	*sql.DB
	file string // names the database for an import
}

func newDRF(t *testing.T, name string) drf {
	t.Helper()
	root := primary(t, "root", "mysql-root", "")
	password := rand.Text()
	run := func(db *sql.DB, statements ...string) {
		for _, statement := range statements {
			_, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
		}
	}
	user := "'" + name + "'@'%'"
	run(root, "CREATE DATABASE "+name, "CREATE USER "+user+" IDENTIFIED BY '"+password+"'", "GRANT SELECT ON "+name+".* TO "+user)
	db := primary(t, "root", "mysql-root", name)
	run(db, drfTables...)
	var port int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT @@port").Scan(&port))
	file := filepath.Join(t.TempDir(), "source")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf("%s:%s@tcp(127.0.0.1:%d)/%s\n", name, password, port, name)), 0o600))
	return drf{db, file}
}

// djangoHash is how Django keeps a password.
func djangoHash(t *testing.T, password string) string {
	t.Helper()
	const iterations = 1000
	salt := rand.Text()
	key, err := pbkdf2.Key(sha256.New, password, []byte(salt), iterations, sha256.Size)
	require.NoError(t, err)
	return fmt.Sprintf("pbkdf2_sha256$%d$%s$%s", iterations, salt, base64.StdEncoding.EncodeToString(key))
}

// signUp is what a sign-up leaves in drf-oms: a member, and a token.
func (d drf) signUp(t *testing.T, id uint64, body json.RawMessage) (token string) {
	t.Helper()
	var fields struct{ Email, Password, Name, Nickname, Phone, Gender string }
	require.NoError(t, json.Unmarshal(body, &fields))
	_, err := d.ExecContext(t.Context(), `INSERT INTO accounts_user (id, password, email, name, nickname, phone, gender, created_at, is_active, is_admin)
		VALUES (?, ?, ?, ?, ?, ?, NULLIF(?, ''), UTC_TIMESTAMP(6), TRUE, FALSE)`,
		id, djangoHash(t, fields.Password), fields.Email, fields.Name, fields.Nickname, fields.Phone, fields.Gender)
	require.NoError(t, err)
	made := newKnoxToken()
	_, err = d.ExecContext(t.Context(), `INSERT INTO knox_authtoken (digest, created, user_id, expiry, token_key)
		VALUES (?, UTC_TIMESTAMP(6), ?, UTC_TIMESTAMP(6) + INTERVAL 10 HOUR, ?)`, made.Digest, id, made.Token[:8])
	require.NoError(t, err)
	return made.Token
}

func TestEveryRecordedExchangeWithDRFOMSReplaysAgainstImportedMembersWithTheirTokens(t *testing.T) {
	t.Parallel()
	state := newReplay()
	state.imported = true
	source := newDRF(t, "drf_"+strings.ToLower(rand.Text()[:8]))
	id := uint64(1_000_000_000) // far from those of the members whom other tests sign up
	for _, exchange := range recordedExchanges(t) {
		if who := exchange.Captures; exchange.signsUp() {
			id++
			state.ids[who], state.tokens[who] = id, source.signUp(t, id, json.RawMessage(state.fill(string(exchange.JSON))))
		}
	}
	require.Len(t, state.ids, 3)
	id++
	buyer := member{id: id, email: unique() + "@e2e.test"}
	token := source.signUp(t, id, json.RawMessage(fmt.Sprintf(`{"email":%q,"password":%q,"name":"Buyer","nickname":"buyer","phone":"0212345"}`, buyer.email, password)))
	number := "IMPO" + state.num
	_, err := source.ExecContext(t.Context(), `INSERT INTO orders_order (id, order_number, product_name, paymented_at, customer_id)
		VALUES (?, ?, '무지개 🌈', '2026-11-29 14:36:22.633573', ?)`, id, number, id)
	require.NoError(t, err)

	oms(t, "import-drf", "--file", source.file, "--dry-run")
	oms(t, "import-drf", "--file", source.file)
	state.playAll(t)

	login := newClient().do(t, http.MethodPost, "/auth/login", map[string]any{"email": buyer.email, "password": password})
	require.Equal(t, http.StatusOK, login.status, login.text)
	for _, token := range []string{token, login.body["token"].(string)} {
		seen := newClient().as(token).do(t, http.MethodGet, fmt.Sprintf("/accounts/users/%d", id), nil)
		require.Equal(t, http.StatusOK, seen.status, seen.text)
		last, ok := seen.body["last_order"].(map[string]any)
		require.True(t, ok, seen.text)
		require.Equal(t, number, last["order_number"])
		require.Equal(t, "2026-11-29T23:36:22.633573+09:00", last["paymented_at"])
	}
}
