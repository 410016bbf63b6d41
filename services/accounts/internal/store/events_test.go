package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
)

// told are the events that wait for NATS: the last part of their types, and their data.
func (f fixture) told(t *testing.T) []string {
	t.Helper()
	rows, err := f.db.QueryContext(t.Context(), "SELECT subject, content FROM outbox ORDER BY id")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	list := []string{}
	for rows.Next() {
		var subject, content string
		require.NoError(t, rows.Scan(&subject, &content))
		var event struct {
			Subject string
			Data    accounts.EventData
		}
		require.NoError(t, json.Unmarshal([]byte(content), &event))
		require.Equal(t, fmt.Sprint(event.Data.MemberID), event.Subject)
		for _, personal := range []string{"x.test", "sungi", "김선기", "0108357", "hash"} {
			require.NotContains(t, content, personal)
		}
		list = append(list, fmt.Sprintf("%s %+v", subject, event.Data))
	}
	require.NoError(t, rows.Err())
	return list
}

func TestEveryChangeOfAMemberIsAnEventAndNothingElseIs(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	var want []string
	event := func(kind string, id, version uint64, active, admin bool) {
		want = append(want, fmt.Sprintf("oms.events.accounts.%s.v1 {MemberID:%d Version:%d Active:%t Admin:%t}", kind, id, version, active, admin))
		require.Equal(t, want, f.told(t))
	}
	member, _ := f.create(t, sungi)
	event("created", member.ID, 1, true, false)
	_, _, err := f.UpdateMember(t.Context(), member.ID, changing(func(member *account.Member) { member.Nickname = "other" }))
	require.NoError(t, err)
	event("changed", member.ID, 2, true, false)
	_, _, err = f.UpdateMember(t.Context(), member.ID, changing(func(member *account.Member) { member.Active = false }))
	require.NoError(t, err)
	event("changed", member.ID, 3, false, false)

	for name, nothing := range map[string]func() error{
		"a change of nothing": func() error {
			_, _, err := f.UpdateMember(t.Context(), member.ID, changing(func(*account.Member) {}))
			return err
		},
		"a refused change": func() error {
			_, _, err := f.UpdateMember(t.Context(), member.ID, func(member *account.Member) (account.Consequences, error) {
				member.Name = "Casey"
				return account.Consequences{}, errors.New("refused")
			})
			require.Error(t, err)
			return nil
		},
		"a refused sign-up": func() error { require.Error(t, f.signUp(t, sungi)); return nil },
		"a logout of all":   func() error { _, err := f.RevokeSessions(t.Context(), member.ID, ending()); return err },
		"a refused deletion": func() error {
			_, err := f.DeleteMember(t.Context(), member.ID, func(account.Member) error { return errors.New("refused") }, ending())
			require.Error(t, err)
			return nil
		},
	} {
		require.NoError(t, nothing(), name)
		require.Equal(t, want, f.told(t), name)
		require.Equal(t, uint64(3), f.get(t, member.ID).Version, name)
	}
	_, err = f.DeleteMember(t.Context(), member.ID, anyVersion, ending())
	require.NoError(t, err)
	event("deleted", member.ID, 4, false, false)
	for round := range 2 {
		_, _, err = f.CreateAdmin(t.Context(), admin, ending())
		require.NoError(t, err)
		if round == 0 {
			created, err := f.MemberByEmail(t.Context(), admin.Email)
			require.NoError(t, err)
			event("created", created.ID, 1, true, true)
		}
		require.Equal(t, want, f.told(t), "who is an admin already is not made one")
	}
}

func TestOneOfManyChangesOfOneVersionWins(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	stored, _ := f.create(t, sungi)
	stale := fault.New(fault.PreconditionFailed, "stale", nil)
	won := 0
	for _, err := range together(6, func(i int) error {
		_, _, err := f.UpdateMember(t.Context(), stored.ID, func(member *account.Member) (account.Consequences, error) {
			if member.Version != stored.Version {
				return account.Consequences{}, stale
			}
			member.Phone = fmt.Sprintf("021234%d", i)
			return account.Consequences{Ending: account.Ending{At: now}}, nil
		})
		return err
	}) {
		if err == nil {
			won++
		} else {
			require.ErrorIs(t, err, stale)
		}
	}
	require.Equal(t, 1, won)
	// Who is refused must see next what it was refused for.
	refused := consistency.Into(t.Context(), 0)
	_, _, err := f.UpdateMember(refused, stored.ID, func(*account.Member) (account.Consequences, error) { return account.Consequences{}, stale })
	require.ErrorIs(t, err, stale)
	require.NotZero(t, consistency.WrittenBy(refused))
	seen, err := f.Member(refused, stored.ID)
	require.NoError(t, err)
	require.Equal(t, f.get(t, stored.ID), seen)
	require.Equal(t, uint64(2), f.get(t, stored.ID).Version)
}
