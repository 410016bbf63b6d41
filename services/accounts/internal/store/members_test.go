package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

func TestAMemberIsReadAsItWasStored(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	emoji := sungi
	emoji.Email, emoji.Name, emoji.Nickname = "🍤@x.test", "꼬막무침 🍤", "𠮷野家👩‍👩‍👧"
	inactive := dream
	inactive.Active, inactive.Admin = false, true
	for _, member := range []account.Member{sungi, emoji, inactive} {
		stored, _ := f.create(t, member)
		member.ID, member.Version = stored.ID, 1
		require.Equal(t, member, stored)
		require.Equal(t, member, f.get(t, stored.ID))
		found, err := f.MemberByEmail(t.Context(), member.Email)
		require.NoError(t, err)
		require.Equal(t, member, found)
	}
}

func TestReadsSeeWhatTheirTokenCoversAndDenyNobody(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	run := f.OnPrimaryAlone(t)
	run(`INSERT INTO members (id, email, email_key, name, nickname, phone, password_hash, created_at)
		VALUES (7, 'new@x.test', 'new@x.test', 'Casey', 'casey', '0212345', 'x', ?)`, now)
	run(`INSERT INTO audit_events (at, action, actor, subject, address, outcome, request_id, detail)
		VALUES (?, 'login', 7, 7, '', 'success', '', '')`, now)
	require.Eventually(t, func() bool {
		page, err := f.Members(t.Context(), query(10, 0))
		return err == nil && page.Count == 0
	}, time.Minute, 5*time.Millisecond, "a read that may be old never went to the replica")
	require.Eventually(t, func() bool {
		page, err := f.AuditEvents(t.Context(), listing.Request{Limit: 10})
		return err == nil && page.Count == 0
	}, time.Minute, 5*time.Millisecond, "a read that may be old never went to the replica")
	for range 20 { // wherever reads would go by turns
		require.Equal(t, "casey", f.get(t, 7).Nickname)
		member, err := f.Member(t.Context(), 7)
		require.NoError(t, err, "a replica that is behind denied a member")
		require.Equal(t, "casey", member.Nickname)
		page, err := f.Members(latest(t), query(10, 0))
		require.NoError(t, err)
		require.Equal(t, 1, page.Count)
		events, err := f.AuditEvents(latest(t), listing.Request{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, 1, events.Count)
		matches, err := f.MatchingMembers(latest(t), []string{"casey"}, 0, 10)
		require.NoError(t, err)
		require.Equal(t, [][]uint64{{7}}, matches)
		found, err := f.MemberByEmail(t.Context(), "new@x.test")
		require.NoError(t, err)
		require.Equal(t, uint64(7), found.ID)
	}
}

func TestWhatIsMissingIsNotFound(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	_, err := f.Member(t.Context(), 12345)
	requireCode(t, fault.NotFound, err)
	_, err = f.MemberByEmail(t.Context(), "nobody@x.test")
	requireCode(t, fault.NotFound, err)
	_, _, err = f.UpdateMember(t.Context(), 12345, func(*account.Member) (account.Consequences, error) {
		return account.Consequences{}, errors.New("was called")
	})
	requireCode(t, fault.NotFound, err)
	_, err = f.DeleteMember(t.Context(), 12345, anyVersion, ending())
	requireCode(t, fault.NotFound, err)
	_, err = f.RevokeSessions(t.Context(), 12345, ending())
	requireCode(t, fault.NotFound, err)
	_, err = f.Session(t.Context(), 12345)
	requireCode(t, fault.NotFound, err)
	_, _, err = f.CreateSession(t.Context(), account.Member{ID: 12345}, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord())
	requireCode(t, fault.NotFound, err)
	_, sessions := f.rows(t)
	require.Zero(t, sessions)
}

func TestAnEmailIsTakenWhateverItsCase(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	f.create(t, sungi)
	accented, _ := f.create(t, as("m@é.test"))
	members, sessions := f.rows(t)
	for _, email := range []string{"Sungi@X.test", "sungi@x.test", "SUNGI@X.TEST", "M@É.test"} {
		require.Equal(t, account.ErrEmailTaken, f.signUp(t, as(email)), email)
		require.Equal(t, strings.ContainsRune(email, 'É'), f.holder(t, email) == accented.ID, email)
	}
	membersAfter, sessionsAfter := f.rows(t)
	require.Equal(t, members, membersAfter)
	require.Equal(t, sessions, sessionsAfter, "a session without a member was left")
	f.create(t, as("m@e.test")) // é is another letter
	renamed, _, err := f.UpdateMember(t.Context(), f.holder(t, sungi.Email), changing(func(member *account.Member) { member.Email = "SUNGI@x.test" }))
	require.NoError(t, err, "its own email is not taken")
	require.Equal(t, "SUNGI@x.test", f.get(t, renamed.ID).Email)
}

func TestOneOfManySignUpsWithOneEmailWins(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	for round := range 5 {
		errs := together(8, func(i int) error {
			return f.signUp(t, as(fmt.Sprintf([]string{"race%d@x.test", "RACE%d@X.test"}[i%2], round)))
		})
		won := slices.Index(errs, nil)
		require.GreaterOrEqual(t, won, 0, "nobody won: %v", errs)
		for _, err := range slices.Delete(errs, won, won+1) {
			require.Equal(t, account.ErrEmailTaken, err)
		}
		members, sessions := f.rows(t)
		require.Equal(t, round+1, members)
		require.Equal(t, round+1, sessions)
	}
}

func TestAnUpdateChangesWhatItNamesAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	other, _ := f.create(t, dream)
	stored, _ := f.create(t, sungi)
	for name, change := range fieldChanges {
		want := f.get(t, stored.ID)
		change(&want)
		want.Version++
		got, revocations, err := f.UpdateMember(t.Context(), stored.ID, changing(change))
		require.NoError(t, err, name)
		require.Empty(t, revocations, name)
		require.Equal(t, want, got, name)
		require.Equal(t, want, f.get(t, stored.ID), name)
	}
	require.Equal(t, other, f.get(t, other.ID))
	found, err := f.MemberByEmail(t.Context(), "NEW@x.test")
	require.NoError(t, err)
	require.Equal(t, stored.ID, found.ID)
	_, err = f.MemberByEmail(t.Context(), sungi.Email)
	requireCode(t, fault.NotFound, err)
}

var fieldChanges = map[string]func(*account.Member){
	"email":    func(member *account.Member) { member.Email = "New@x.test" },
	"name":     func(member *account.Member) { member.Name = "새이름" },
	"nickname": func(member *account.Member) { member.Nickname = "other" },
	"phone":    func(member *account.Member) { member.Phone = "0219999" },
	"gender":   func(member *account.Member) { member.Gender = "" },
	"password": func(member *account.Member) { member.PasswordHash = "another hash" },
}

// changing is a change from which nothing follows.
func changing(change func(*account.Member)) func(*account.Member) (account.Consequences, error) {
	return func(member *account.Member) (account.Consequences, error) {
		change(member)
		return account.Consequences{Ending: account.Ending{At: now}}, nil
	}
}

func TestConcurrentChangesOfDifferentFieldsAllSurvive(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	for round := range 5 {
		member := sungi
		member.Email = fmt.Sprintf("member%d@x.test", round)
		stored, _ := f.create(t, member)
		changes := maps.Clone(fieldChanges)
		changes["email"] = func(member *account.Member) { member.Email = fmt.Sprintf("changed%d@x.test", round) }
		want := stored
		for _, change := range changes {
			change(&want)
		}
		want.Version += uint64(len(changes))
		works := slices.Collect(maps.Values(changes))
		require.NoError(t, errors.Join(together(len(works), func(i int) error {
			_, _, err := f.UpdateMember(t.Context(), stored.ID, changing(works[i]))
			return err
		})...))
		require.Equal(t, want, f.get(t, stored.ID))
	}
}

func TestARefusedUpdateWritesNothing(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	f.create(t, dream)
	stored, _ := f.create(t, sungi)
	refused := errors.New("refused")
	_, _, err := f.UpdateMember(t.Context(), stored.ID, func(member *account.Member) (account.Consequences, error) {
		member.Nickname = "other"
		return account.Consequences{EndsSessions: true, Ending: ending()}, refused
	})
	require.ErrorIs(t, err, refused)
	for _, taken := range []string{"dream@x.test", "DREAM@x.test"} {
		_, _, err = f.UpdateMember(t.Context(), stored.ID, func(member *account.Member) (account.Consequences, error) {
			member.Nickname, member.Email = "other", taken
			return account.Consequences{EndsSessions: true, Ending: ending()}, nil
		})
		require.Equal(t, account.ErrEmailTaken, err)
	}
	require.Equal(t, stored, f.get(t, stored.ID))
	require.Empty(t, f.revoked(t))
}
