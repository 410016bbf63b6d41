package imports_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/accounts/internal/imports"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/authn"
	"oms.internal/libs/command"
	"oms.internal/libs/consistency"
	"oms.internal/libs/drf"
	"oms.internal/libs/drf/drftest"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

// moving is a database of drf-oms beside a schema of ours.
type moving struct {
	mysqlxtest.Database
	*accounttest.World
	store  *store.Store
	source drftest.Source
	now    time.Time
}

func newMoving(t *testing.T) *moving {
	t.Helper()
	database := mysqlxtest.New(t, schemas.Accounts())
	clock := accounttest.NewClock(time.Now().UTC().Truncate(time.Microsecond))
	kept := store.New(database.Cluster, clock.Now)
	return &moving{
		Database: database, World: accounttest.NewWorld(clock, accounttest.Dependencies(kept, clock)), store: kept,
		source: drftest.New(t, database.Pair), now: clock.Now(),
	}
}

// run makes a run, and returns what it told and its exit code.
func (m *moving) run(t *testing.T, dry bool) (told string, code int) {
	t.Helper()
	var out bytes.Buffer
	err := drf.Run(t.Context(), drf.Options{Source: m.source.DSN, DryRun: dry, Out: &out, Progress: io.Discard, Now: time.Now},
		imports.Members(m.store, m.Service), imports.Sessions(m.store, m.Service, m.now))
	code = command.Code(err)
	if code != drf.Incomplete {
		require.NoError(t, err, out.String())
	}
	return out.String(), code
}

// complete makes a run that takes everything, and compares what it told of members.
func (m *moving) complete(t *testing.T, members string) {
	t.Helper()
	told, code := m.run(t, false)
	require.Zero(t, code, told)
	require.Equal(t, "members: "+members+", 0 not taken", strings.Split(told, "\n")[0])
}

func (m *moving) number(t *testing.T, query string, args ...any) (number int) {
	t.Helper()
	require.NoError(t, m.Root.QueryRowContext(t.Context(), query, args...).Scan(&number), query)
	return number
}

func (m *moving) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := m.Root.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

// differing counts the members who are not as the source has them.
func (m *moving) differing(t *testing.T) int {
	t.Helper()
	here := "SELECT id, password_hash, email, CAST(name AS BINARY), nickname, phone, gender, created_at, is_active, is_admin FROM members"
	there := "SELECT id, password, email, CAST(name AS BINARY), nickname, phone, gender, created_at, is_active, is_admin FROM " + m.source.Schema + ".accounts_user"
	return m.number(t, "SELECT COUNT(*) FROM ("+here+" EXCEPT "+there+") AS a") + m.number(t, "SELECT COUNT(*) FROM ("+there+" EXCEPT "+here+") AS b")
}

func TestAFirstRunTakesEveryMemberAsItIsAndASecondOneNothing(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.source.Exec(t, "UPDATE accounts_user SET is_admin = 1 WHERE id = 7")
	m.source.Exec(t, "UPDATE accounts_user SET is_active = 0 WHERE id = 8")
	m.source.LetTokensLive(t)
	m.source.Exec(t, "UPDATE knox_authtoken SET expiry = '2026-01-01' ORDER BY digest LIMIT 5")
	told, code := m.run(t, false)
	require.Zero(t, code, told)
	require.Equal(t, "members: 1001 new, 0 changed, 0 gone, 0 not taken\nsessions: 1010 new, 0 changed, 0 gone, 0 not taken, 5 expired and left out\n", told)
	require.Zero(t, m.differing(t))
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM members WHERE version <> 1"))

	// What is kept beside a member is there.
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM members WHERE mailbox_due OR grams_due OR mailbox IS NULL"))
	grams := m.number(t, "SELECT COUNT(*) FROM member_grams")
	m.exec(t, "UPDATE members SET grams_name = '', grams_email = ''")
	m.exec(t, "DELETE FROM member_grams")
	_, err := m.store.FillGrams(t.Context(), func() error { return nil })
	require.NoError(t, err)
	require.Equal(t, m.number(t, "SELECT COUNT(*) FROM member_grams"), grams)

	// They are announced in few events, and an admin finds who has become one.
	require.Equal(t, 2, m.number(t, "SELECT COUNT(*) FROM outbox WHERE subject = 'oms.events.accounts.imported.v1'"))
	require.Equal(t, 2, m.number(t, "SELECT COUNT(*) FROM outbox"))
	require.Equal(t, drftest.Members, m.number(t, "SELECT SUM(JSON_VALUE(content, '$.data.count')) FROM outbox"))
	require.Equal(t, 1, m.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'admin_grant' AND subject = 7"))
	require.NotZero(t, m.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'import'"))

	before := m.everything(t)
	told, code = m.run(t, false)
	require.Zero(t, code)
	require.Equal(t, "members: 0 new, 0 changed, 0 gone, 0 not taken\nsessions: 0 new, 0 changed, 0 gone, 0 not taken, 5 expired and left out\n", told)
	require.Equal(t, before, m.everything(t))
}

// everything is a digest of each table.
func (m *moving) everything(t *testing.T) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for table, columns := range map[string]string{
		"members": "id, email, mailbox, name, nickname, phone, password_hash, is_admin, is_active, version", "member_grams": "HEX(gram), member_id",
		"sessions": "id, member_id, created_at, expires_at, COALESCE(revoked_at, 0)", "knox_tokens": "HEX(digest), session_id, expires_at",
		"drf_imports": "id, HEX(source), HEX(here)", "outbox": "id, content", "audit_events": "id, action, subject", "member_moves": "id, member_id",
		"revocations": "sequence, session_id, member_id",
	} {
		var sum string
		query := "SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(CRC32(CONCAT_WS('|', " + columns + "))), 0)) FROM " + table
		require.NoError(t, m.Root.QueryRowContext(t.Context(), query).Scan(&sum), query)
		sums[table] = sum
	}
	return sums
}

func TestADryRunSaysWhatWouldBeDoneAndChangesNothing(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.source.LetTokensLive(t)
	m.source.Exec(t, "UPDATE accounts_user SET gender = 'X' WHERE id = 3")
	m.source.Unchecked(t, "UPDATE accounts_user SET email = '\"move2\"@example.test' WHERE id = 900")
	before := m.everything(t)
	told, code := m.run(t, true)
	require.Equal(t, drf.Incomplete, code)
	require.Contains(t, told, `member 3: its gender is "X", which is neither M nor F`)
	require.Contains(t, told, "member 900: its email names the mailbox of member 2 of the source")
	require.Contains(t, told, "members: 999 new, 0 changed, 0 gone, 2 not taken; this was a dry run, and nothing was changed")
	require.Contains(t, told, "sessions: 1015 new, 0 changed, 0 gone, 0 not taken, 1015 of them only once their member is here; this was a dry run")
	require.Equal(t, before, m.everything(t))

	_, err := m.Root.ExecContext(t.Context(), "INSERT INTO members (email, email_key, name, nickname, phone, password_hash, created_at) VALUES ('a', 'a', 'a', 'a', 'a', '', NOW())")
	require.NoError(t, err)
	require.Equal(t, 1, m.number(t, "SELECT id FROM members"), "not even a number was taken")
}

func TestTheNextRunBringsTheDifference(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.complete(t, "1001 new, 0 changed, 0 gone")
	m.source.Exec(t, "SET foreign_key_checks = 1")
	m.source.Exec(t, "DELETE FROM orders_order WHERE customer_id IN (10, 11)")
	m.source.Exec(t, "DELETE FROM knox_authtoken WHERE user_id IN (10, 11)")
	m.source.Exec(t, "DELETE FROM accounts_user WHERE id IN (10, 11)")
	m.source.Exec(t, "UPDATE accounts_user SET name = '남궁산호', email = 'New20@Example.test' WHERE id = 20")
	m.source.Exec(t, "UPDATE accounts_user SET password = (SELECT password FROM (SELECT * FROM accounts_user) AS u WHERE id = 1) WHERE id = 21")
	m.source.Exec(t, "UPDATE accounts_user SET is_active = 0 WHERE id = 22")
	// A chain of emails, of which each is free only once the next member has given it up. Member 11 frees the last one.
	m.source.Exec(t, "UPDATE accounts_user SET email = 'move9@example.test' WHERE id = 32")
	m.source.Exec(t, "UPDATE accounts_user SET email = 'move29@example.test' WHERE id = 31")
	m.source.Exec(t, `INSERT INTO accounts_user (id, password, email, name, nickname, phone, created_at, is_active, is_admin)
		SELECT 2000, password, 'move30@example.test', name, nickname, phone, created_at, 1, 0 FROM accounts_user WHERE id = 1`)
	events := m.number(t, "SELECT COUNT(*) FROM outbox")
	m.complete(t, "1 new, 5 changed, 2 gone")
	require.Zero(t, m.differing(t))
	require.Equal(t, 5, m.number(t, "SELECT COUNT(*) FROM members WHERE version = 2"))
	require.Equal(t, 8, m.number(t, "SELECT COUNT(*) FROM outbox")-events, "what is changed or gone is told as always")
	require.Equal(t, 2, m.number(t, "SELECT COUNT(*) FROM outbox WHERE subject = 'oms.events.accounts.deleted.v1'"))
	require.Equal(t, 2, m.number(t, "SELECT COUNT(*) FROM member_moves WHERE gained = -1"))
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM members WHERE mailbox_due OR grams_due OR mailbox IS NULL"))
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM member_grams LEFT JOIN members ON members.id = member_id WHERE members.id IS NULL"))
	found, err := m.store.Members(consistency.Into(t.Context(), consistency.Newest), account.Query{Request: listing.Request{Limit: 5, Terms: []string{"남궁"}}})
	require.NoError(t, err)
	require.Equal(t, uint64(20), found.Values[0].ID)
	m.complete(t, "0 new, 0 changed, 0 gone")
}

func TestWhatWasChangedHereSinceIsNeitherOverwrittenNorDeletedAndIsNamed(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.complete(t, "1001 new, 0 changed, 0 gone")
	m.exec(t, "UPDATE members SET nickname = 'ours' WHERE id IN (40, 41, 42)")
	m.exec(t, "UPDATE members SET password_hash = 'hashed at a login' WHERE id IN (50, 51, 52)")
	m.exec(t, "DELETE FROM members WHERE id IN (60, 61, 62)")
	m.source.Exec(t, "UPDATE accounts_user SET phone = '0212345678' WHERE id IN (40, 50, 60)")
	m.source.Exec(t, "UPDATE accounts_user SET password = CONCAT(password, '') , password = REPLACE(password, '260000', '260001') WHERE id IN (42, 51)")
	m.source.Unchecked(t, "DELETE FROM accounts_user WHERE id IN (41, 52, 61)", "DELETE FROM knox_authtoken")
	told, code := m.run(t, false)
	require.Equal(t, drf.Incomplete, code)
	for _, line := range []string{
		"member 40: it was changed in drf-oms, and here, too",
		"member 41: it is gone in drf-oms, but here it has logged in or was changed",
		"member 51: its password was changed in drf-oms, but it has logged in here, or has another password here, too",
		"member 52: it is gone in drf-oms, but here it has logged in or was changed",
		"member 60: it was changed in drf-oms, but deleted here",
		"members: 0 new, 2 changed, 1 gone, 5 not taken",
	} {
		require.Contains(t, told, line+"\n")
	}
	require.Equal(t, 3, m.number(t, "SELECT COUNT(*) FROM members WHERE nickname = 'ours'"))
	require.Equal(t, 3, m.number(t, "SELECT COUNT(*) FROM members WHERE password_hash = 'hashed at a login'"))
	require.Equal(t, 1, m.number(t, "SELECT COUNT(*) FROM members WHERE id = 50 AND phone = '0212345678'"), "the hash is ours and the rest theirs")
	require.Equal(t, 1, m.number(t, "SELECT COUNT(*) FROM members WHERE id = 42 AND password_hash LIKE '%$260001$%'"), "the other way round")
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM members WHERE id = 62"), "who was deleted here does not come back")

	// It is said again until somebody decides.
	again, _ := m.run(t, false)
	require.Equal(t, strings.Replace(told, "0 new, 2 changed, 1 gone", "0 new, 0 changed, 0 gone", 1), again)
}

func TestEachRowThatCannotBeTakenIsNamedWithItsReasonAndTheRestIsTaken(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.exec(t, `INSERT INTO members (id, email, email_key, mailbox, mailbox_email, name, nickname, phone, password_hash, created_at)
		VALUES (70, 'our@x.test', 'our@x.test', 'our@x.test', 'our@x.test', 'Our', 'our', '0212345', 'x', NOW()),
		(5000, 'MOVE3@example.test', 'move3@example.test', 'move3@example.test', 'MOVE3@example.test', 'Our', 'our', '0212345', 'x', NOW())`)
	m.exec(t, `INSERT INTO audit_events (at, action, actor, subject, address, outcome, request_id, detail) VALUES (NOW(), 'member_delete', 71, 71, '', 'success', '', '')`)
	m.source.LetTokensLive(t)
	m.source.Unchecked(t,
		"UPDATE accounts_user SET email = 'no address' WHERE id = 80",
		"UPDATE accounts_user SET gender = 'X' WHERE id = 81",
		"UPDATE accounts_user SET password = 'bcrypt_sha256$$2b$12$abc' WHERE id = 82",
		"UPDATE accounts_user SET created_at = '0000-00-00' WHERE id = 83",
		`UPDATE accounts_user SET email = '"move2"@example.test' WHERE id = 84`,
		"UPDATE accounts_user SET id = -85 WHERE id = 85",
		"UPDATE knox_authtoken SET digest = 'short' WHERE user_id = 90 LIMIT 1",
	)
	told, code := m.run(t, false)
	require.Equal(t, drf.Incomplete, code)
	for _, line := range []string{
		`member -85: "-85" is no id`,
		"member 70: its id is that of another member here",
		"member 71: its id was that of another member here, who is deleted",
		"member 4: its email names the mailbox of member 5000 here",
		`member 80: its email "no address" is not a valid address`,
		`member 81: its gender is "X", which is neither M nor F`,
		`member 82: its password is hashed by "bcrypt_sha256", which cannot be checked here`,
		`member 83: it was created at "0000-00-00 00:00:00.000000" is no time`,
		"member 84: its email names the mailbox of member 2 here",
		"members: 992 new, 0 changed, 0 gone, 9 not taken",
		"session short: it is no digest of a token",
		"its member 70 is not here",
	} {
		require.Contains(t, told, line)
	}
	require.Equal(t, 994, m.number(t, "SELECT COUNT(*) FROM members"))
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM sessions WHERE member_id = 70"), "a session never becomes that of another member")
	require.Equal(t, 992, m.number(t, "SELECT COUNT(*) FROM member_moves WHERE gained = 1"),
		"processes that remember how many members there are up to 5000 learn of those below")

	imported, err := m.ImportedMembers(t.Context(), []uint64{1, 4, 70, 71, 80, 5000})
	require.NoError(t, err)
	require.Equal(t, []uint64{1}, imported, "orders of the others would be those of another person")

	// What is mended is taken by the next run.
	m.source.Exec(t, "UPDATE accounts_user SET gender = NULL WHERE id = 81")
	told, _ = m.run(t, false)
	require.Contains(t, told, "members: 1 new, 0 changed, 0 gone, 8 not taken")
}

func TestASourceThatLacksMostOfWhatWasTakenIsNotTheSameOne(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.complete(t, "1001 new, 0 changed, 0 gone")
	m.source.Unchecked(t, "DELETE FROM accounts_user WHERE id > 300")
	err := drf.Run(t.Context(), drf.Options{Source: m.source.DSN, Out: io.Discard, Progress: io.Discard, Now: time.Now}, imports.Members(m.store, m.Service))
	require.EqualError(t, err, "701 of 1001 members that were imported are not in the source any more: it is another database, or not whole")
	require.Equal(t, drftest.Members, m.number(t, "SELECT COUNT(*) FROM members"))
}

// count says whether a token stands for its member now.
func (m *moving) counts(t *testing.T, token drftest.Token) bool {
	t.Helper()
	raw, err := hex.DecodeString(token.Token)
	require.NoError(t, err)
	bearer, found, err := m.BearerOfKnoxToken(t.Context(), sha512.Sum512(raw))
	require.NoError(t, err)
	if found {
		require.Equal(t, token.MemberID, bearer.MemberID)
	}
	return found
}

func TestTokensOfSessionsThatLiveStandForTheirMembersAndThoseThatWereLoggedOutDoNot(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.source.LetTokensLive(t)
	_, code := m.run(t, false)
	require.Zero(t, code)
	live, loggedOut := drftest.PlainTokens(t)
	require.Equal(t, []int{25, 11}, []int{len(live), len(loggedOut)})
	for _, token := range live {
		require.True(t, m.counts(t, token))
	}
	for _, token := range loggedOut {
		require.False(t, m.counts(t, token))
	}
	digest := func(of drftest.Token) string {
		raw, err := hex.DecodeString(of.Token)
		require.NoError(t, err)
		sum := sha512.Sum512(raw)
		return hex.EncodeToString(sum[:])
	}

	// Logged out here, logged out there, extended there, and one that never ends.
	here, err := m.store.Sessions(t.Context(), m.now, listing.Request{Limit: 10}.Only("member", live[0].MemberID))
	require.NoError(t, err)
	for _, session := range here.Values {
		require.Equal(t, drf.Name, session.UserAgent)
		_, err := m.EndSession(t.Context(), authn.Principal{MemberID: live[0].MemberID, SessionID: session.ID}, session.ID)
		require.NoError(t, err)
	}
	m.source.Exec(t, "DELETE FROM knox_authtoken WHERE digest = ?", digest(live[1]))
	m.source.Exec(t, "UPDATE knox_authtoken SET expiry = expiry + INTERVAL 1 DAY WHERE digest = ?", digest(live[2]))
	m.source.Exec(t, "UPDATE knox_authtoken SET expiry = NULL WHERE digest = ?", digest(live[3]))
	told, code := m.run(t, false)
	require.Zero(t, code)
	require.Contains(t, told, "sessions: 0 new, 2 changed, 1 gone, 0 not taken\n")
	require.False(t, m.counts(t, live[0]), "who logged out here is not logged in again")
	require.False(t, m.counts(t, live[1]))
	require.Contains(t, m.Published(), m.Everything(t)[len(m.Everything(t))-1], "gateways hear of it at once")
	m.Advance(20 * time.Hour)
	require.True(t, m.counts(t, live[2]))
	require.True(t, m.counts(t, live[3]))
	require.False(t, m.counts(t, live[4]))
	told, _ = m.run(t, false)
	require.Contains(t, told, "sessions: 0 new, 0 changed, 0 gone, 0 not taken\n")
}
