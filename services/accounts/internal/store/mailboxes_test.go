package store_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
)

// insertUnkeyed inserts a member as a process of the version before does, and returns its id.
func (f fixture) insertUnkeyed(t *testing.T, email string) uint64 {
	t.Helper()
	result, err := f.db.ExecContext(t.Context(), `INSERT INTO members (email, email_key, name, nickname, phone, password_hash, created_at)
		VALUES (?, ?, 'Old', 'old', '0212345', 'old', ?)`, email, strings.ToLower(email), now)
	require.NoError(t, err)
	id, err := result.LastInsertId()
	require.NoError(t, err)
	return uint64(id)
}

// fillMailboxes makes a round and returns what it logs.
func (f fixture) fillMailboxes(t *testing.T) string {
	t.Helper()
	var log bytes.Buffer
	_, err := f.FillMailboxes(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), func() error { return nil })
	require.NoError(t, err)
	return log.String()
}

// holder returns the id of the member whom an email names.
func (f fixture) holder(t *testing.T, email string) uint64 {
	t.Helper()
	member, err := f.MemberByEmail(t.Context(), email)
	require.NoError(t, err, email)
	return member.ID
}

// as returns a new member with an email.
func as(email string) account.Member {
	member := dream
	member.Email = email
	return member
}

func TestOneMailboxIsOneMemberInWhicheverSpelling(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, _ := f.create(t, as("M@bücher.test"))
	require.Equal(t, "M@bücher.test", f.get(t, member.ID).Email, "as it was written")
	for _, spelling := range []string{"m@bücher.test", "m@xn--bcher-kva.test", "m@BÜCHER.test", "m@ｂücher.test", `"m"@bücher。test`} {
		require.ErrorIs(t, f.signUp(t, as(spelling)), account.ErrEmailTaken, spelling)
		require.Equal(t, member.ID, f.holder(t, spelling), spelling)
	}
	created, _, err := f.CreateAdmin(t.Context(), as("m@xn--bcher-kva.test"), ending())
	require.NoError(t, err)
	require.False(t, created)
	require.True(t, f.get(t, member.ID).Admin)
}

func TestDifferentDomainsAreDifferentMembers(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	for _, email := range []string{"i@mailİhub.test", "i@mailihub.test", "s@straße.test", "s@strasse.test", "s@strẞ.test", "s@strß.test"} {
		member, _ := f.create(t, as(email))
		require.Equal(t, member.ID, f.holder(t, email))
	}
}

func TestMembersThatProcessesOfTheVersionBeforeWriteAreFoundAndProtected(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	unicode, ascii, plain := f.insertUnkeyed(t, "m@bücher.test"), f.insertUnkeyed(t, "a@xn--bcher-kva.test"), f.insertUnkeyed(t, "Old@X.test")
	look := func() {
		for email, want := range map[string]uint64{
			"M@Bücher.test": unicode, "m@xn--bcher-kva.test": unicode, "a@bücher.test": ascii, "A@xn--bcher-kva.test": ascii, "old@x.test": plain,
		} {
			require.Equal(t, want, f.holder(t, email), email)
		}
	}
	look()
	require.ErrorIs(t, f.signUp(t, as("OLD@x.test")), account.ErrEmailTaken)
	require.Empty(t, f.fillMailboxes(t))
	look()
	require.ErrorIs(t, f.signUp(t, as("m@ｂücher.test")), account.ErrEmailTaken)
	require.Equal(t, uint64(1), f.get(t, plain).Version, "nothing that anyone sees has changed")
}

func TestMembersWhoseMailboxesAreEqualAreListedAndStay(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	first, second := f.insertUnkeyed(t, "m@bücher.test"), f.insertUnkeyed(t, "m@xn--bcher-kva.test")
	listed := f.fillMailboxes(t)
	require.Contains(t, listed, "another member")
	require.Contains(t, listed, "member=2")
	require.NotContains(t, listed, "bcher", "no email in a log")
	require.Contains(t, f.fillMailboxes(t), "member=2", "it is listed each time")
	require.Equal(t, first, f.holder(t, "m@bücher.test"))
	require.Equal(t, second, f.holder(t, "m@xn--bcher-kva.test"))
	require.ErrorIs(t, f.signUp(t, as("m@BÜCHER.test")), account.ErrEmailTaken)

	changed, _, err := f.UpdateMember(t.Context(), second, func(member *account.Member) (account.Consequences, error) {
		member.Nickname = "new"
		return account.Consequences{Ending: ending()}, nil
	})
	require.NoError(t, err, "what the members share hinders no other change")
	require.Equal(t, "new", changed.Nickname)
	_, _, err = f.UpdateMember(t.Context(), second, func(member *account.Member) (account.Consequences, error) {
		member.Email = "second@x.test"
		return account.Consequences{Ending: ending()}, nil
	})
	require.NoError(t, err)
	require.Empty(t, f.fillMailboxes(t), "another email ends the conflict")
	require.Equal(t, first, f.holder(t, "m@xn--bcher-kva.test"))
}

// rewrite changes an email as a process of a release without mailboxes does.
func (f fixture) rewrite(t *testing.T, id uint64, email string) {
	t.Helper()
	_, err := f.db.ExecContext(t.Context(), "UPDATE members SET email = ?, email_key = ?, version = version + 1 WHERE id = ?",
		email, strings.ToLower(email), id)
	require.NoError(t, err)
}

func TestAnEmailThatAProcessWithoutMailboxesChangesGetsItsMailbox(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	moved, _ := f.create(t, as("a@x.test"))
	first, _ := f.create(t, as("first@x.test"))
	second, _ := f.create(t, as("second@x.test"))
	kelvin, _ := f.create(t, as("k@x.test"))
	f.rewrite(t, moved.ID, "b@bücher.test")
	f.rewrite(t, first.ID, "passing@x.test")
	f.rewrite(t, second.ID, "first@x.test")
	f.rewrite(t, first.ID, "second@x.test") // the two have changed their emails for each other's
	f.rewrite(t, kelvin.ID, "\u212a@x.test")
	require.Contains(t, f.fillMailboxes(t), "not a valid address")
	for email, want := range map[string]uint64{
		"B@xn--bcher-kva.test": moved.ID, "second@x.test": first.ID, "first@x.test": second.ID, "\u212a@x.test": kelvin.ID,
	} {
		require.Equal(t, want, f.holder(t, email), email)
	}
	require.NoError(t, f.signUp(t, as("a@x.test")), "the former email is free")
	require.NoError(t, f.signUp(t, as("k@x.test")))
	require.Zero(t, f.number(t, "SELECT COUNT(*) FROM members WHERE mailbox_due AND id <> ?", kelvin.ID))
}

func TestAMemberWithoutAMailboxTakesNoOtherAddress(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	owner, _ := f.create(t, as("i@mailİhub.test"))
	f.rewrite(t, owner.ID, account.Mailbox("i@mailİhub.test")) // with A-labels
	same := f.insertUnkeyed(t, "i@mailİhub.test")              // under the key of i@mailihub.test
	require.Contains(t, f.fillMailboxes(t), fmt.Sprintf("member=%d", same))
	require.NoError(t, f.signUp(t, as("i@mailihub.test")))
	require.Equal(t, same, f.holder(t, "i@mailİhub.test"))
}

func TestAnEmailThatIsNoLongerValidIsListedAndTakesNobodysAddress(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	kelvin := f.insertUnkeyed(t, "\u212a@x.test")
	require.Contains(t, f.fillMailboxes(t), "not a valid address")
	require.Equal(t, kelvin, f.holder(t, "\u212a@x.test"))
	member, _ := f.create(t, as("k@x.test"))
	require.Equal(t, member.ID, f.holder(t, "K@x.test"))
}

func TestMailboxesAreFilledInManyBatches(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	var rows []string
	for n := range 2001 {
		rows = append(rows, fmt.Sprintf("('%[1]d@x.test', '%[1]d@x.test', 'Old', 'old', '0212345', 'old', '2026-11-23')", n))
	}
	_, err := f.db.ExecContext(t.Context(),
		"INSERT INTO members (email, email_key, name, nickname, phone, password_hash, created_at) VALUES "+strings.Join(rows, ", "))
	require.NoError(t, err)
	require.Empty(t, f.fillMailboxes(t))
	require.Zero(t, f.number(t, "SELECT COUNT(*) FROM members WHERE mailbox IS NULL OR mailbox_due"))
}

func TestAFilterByEmailFindsTheMailboxInEverySpelling(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	unicode, ascii := f.insertUnkeyed(t, "M@bücher.test"), f.insertUnkeyed(t, "m@xn--bcher-kva.test")
	dotted, _ := f.create(t, as("i@mailİhub.test"))
	dotless, _ := f.create(t, as("i@mailihub.test"))
	look := func() {
		for email, want := range map[string][]uint64{
			"m@bücher.test": {unicode, ascii}, "M@XN--bcher-kva.test": {unicode, ascii}, `"m"@ｂücher。test`: {unicode, ascii},
			"I@mailihub.test": {dotless.ID}, account.Mailbox("i@mailİhub.test"): {dotted.ID}, "nobody@x.test": {}, "no email": {},
		} {
			for _, among := range []uint64{0, dotless.ID, unicode} {
				asked := filtered(email, "", among)
				asked.Limit = 30
				page, err := f.Members(latest(t), asked)
				require.NoError(t, err)
				ids := []uint64{}
				for _, member := range page.Values {
					ids = append(ids, member.ID)
				}
				visible := slices.DeleteFunc(slices.Clone(want), func(id uint64) bool { return among != 0 && id != among })
				require.Equal(t, visible, ids, "%s among %d", email, among)
				require.Equal(t, len(visible), page.Count)
			}
		}
	}
	look()
	f.fillMailboxes(t)
	look()
}
