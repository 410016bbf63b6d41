package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/drf"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/libs/requestid"
)

// line is an event in short.
func line(event audit.Event) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %d→%d %s %s", event.Action, event.Outcome, event.Actor, event.Subject, event.Address, event.Detail))
}

// story lets everything happen that is written down, and returns what should be written of it.
func story(t *testing.T, s *serving) []string {
	ctx := requestid.Into(t.Context(), "request-1")
	admin, who := s.registerAdmin(t, 0), s.Register(t, 1)
	a, w := admin.MemberID, who.MemberID
	const from = " 203.0.113.7 "
	want := []string{
		fmt.Sprintf("sign_up success %d→%d"+from+"session %d", a, a, admin.SessionID),
		fmt.Sprintf("sign_up success %d→%d"+from+"session %d", w, w, who.SessionID),
	}
	do := func(err error, line string, args ...any) {
		t.Helper()
		require.NoError(t, err)
		want = append(want, strings.TrimSpace(fmt.Sprintf(line, args...)))
	}
	update := func(caller authn.Principal, change account.Change) error {
		_, _, err := s.Update(ctx, caller, w, change)
		return err
	}
	second := s.Again(t, who)
	do(nil, "login success %d→%d"+from+"session %d", w, w, second.SessionID)
	s.refuse(t, browser, who.Email, wrong)
	do(nil, "login failure 0→%d"+from, w)
	s.refuse(t, browser, "nobody@x.test", wrong)
	do(nil, "login failure 0→0"+from)
	require.Error(t, update(who.Principal, account.Change{Email: new("new@x.test"), CurrentPassword: new(wrong)}))
	do(nil, "password_check failure %d→%d"+from, w, w)
	_, err := s.LogOut(ctx, second.Principal)
	do(err, "logout success %d→%d"+from+"session %d", w, w, second.SessionID)
	third := s.Again(t, who)
	do(nil, "login success %d→%d"+from+"session %d", w, w, third.SessionID)
	_, err = s.EndSession(ctx, admin.Principal, third.SessionID)
	do(err, "session_end success %d→%d"+from+"session %d", a, w, third.SessionID)
	next := s.refresh(t, who.RefreshToken)
	for range 2 {
		_, _, err = s.Refresh(ctx, attacker, who.RefreshToken)
	}
	do(err, "refresh_repeat success 0→%d "+attacker.Address+" session %d", w, who.SessionID)
	s.refresh(t, next.RefreshToken)
	_, _, err = s.Refresh(t.Context(), browser, who.RefreshToken)
	require.Error(t, err)
	do(nil, "refresh_reuse failure 0→%d"+from+"session %d", w, who.SessionID)
	do(update(who.Principal, account.Change{Email: new("new@x.test"), Phone: new("0999999"), CurrentPassword: new(password)}),
		"member_update success %d→%d"+from+"email phone", w, w)
	do(update(who.Principal, account.Change{Password: new("Another'pwd1"), CurrentPassword: new(password)}), "password_change success %d→%d"+from, w, w)
	do(update(admin.Principal, account.Change{Admin: new(true)}), "admin_grant success %d→%d"+from, a, w)
	do(update(admin.Principal, account.Change{Admin: new(false)}), "admin_revoke success %d→%d"+from, a, w)
	do(update(admin.Principal, account.Change{Active: new(false)}), "deactivation success %d→%d"+from, a, w)
	do(update(admin.Principal, account.Change{Active: new(true)}), "activation success %d→%d"+from, a, w)
	_, err = s.LogOutAll(ctx, who.Principal)
	do(err, "logout_all success %d→%d"+from, w, w)
	_, err = s.Delete(ctx, admin.Principal, w, nil)
	do(err, "member_delete success %d→%d"+from, a, w)
	do(s.RecordKeyRotation(ctx, "added k1"), "key_rotation success 0→0  added k1")
	_, err = s.CreateAdmin(ctx, "operator@x.test", password)
	do(err, "admin_grant success 0→%d", s.number(t, "SELECT MAX(id) FROM members"))
	result, _, err := s.ImportMembers(ctx, s.Service, []store.Elsewhere{
		{ID: 901, Value: account.Member{ID: 901, Email: "e901@x.test", Name: "Casey", Nickname: "casey", Phone: "0212345", Active: true, CreatedAt: now}},
		{ID: 907, Value: account.Member{ID: 907, Email: "e907@x.test", Name: "Casey", Nickname: "casey", Phone: "0212345", Admin: true, CreatedAt: now}},
	}, false)
	do(err, "import success 0→0  2 of members 901 to 907, from drf-oms")
	do(nil, "admin_grant success 0→907  imported")
	require.Equal(t, drf.Result{New: 2}, result)
	return want
}

// looksAndRefusals lets happen what is written down as a series, and returns what should be written of it.
func looksAndRefusals(t *testing.T, s *serving) []string {
	t.Helper()
	const from = " 203.0.113.7"
	ctx := requestid.Into(t.Context(), "request-1")
	admin := s.registerAdmin(t, 2)
	newcomer := account.NewMember{Email: "m3@x.test", Name: "Casey", Nickname: "casey", Phone: "0212345", Password: password}
	first, _, err := s.SignUp(ctx, browser, newcomer, "key")
	require.NoError(t, err)
	who := accounttest.RegisteredBy(t, first)
	_, _, err = s.SignUp(ctx, browser, newcomer, "key")
	require.NoError(t, err)
	_, _, err = s.Refresh(ctx, browser, "no token")
	require.Error(t, err)
	s.NoteDenied(ctx, who.Principal, admin.MemberID, "PATCH /accounts/users/:id")
	for range 3 {
		_, err = s.Get(ctx, admin.Principal, who.MemberID)
		require.NoError(t, err)
	}
	named := listing.Request{Limit: 1, Matches: []listing.Match{
		{Field: "name", Op: listing.Is, Values: []any{"Casey"}}, {Field: "is_admin", Op: listing.Is, Values: []any{false}},
	}}
	_, err = s.List(latest(t), admin.Principal, named)
	require.NoError(t, err)
	_, err = s.Export(ctx, admin.Principal, named)
	require.NoError(t, err)
	_, err = s.Sessions(ctx, admin.Principal, listing.Request{}.Only("member", who.MemberID))
	require.NoError(t, err)
	_, err = s.World.AuditEvents(latest(t), admin.Principal, listing.Request{Limit: 1})
	require.NoError(t, err)
	// What orders tells of.
	require.NoError(t, s.Cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		var told []audit.Event
		for _, action := range []audit.Action{audit.OrderRead, audit.OrderList, audit.OrderExport} {
			told = append(told, audit.By(requestid.Into(ctx, "request-1"), s.Now(), action, admin.Principal, who.MemberID, audit.AboutOrder(12)))
		}
		return store.RecordEventsWithin(ctx, tx, told)
	}))
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, s.WriteSeries(ended))
	require.Equal(t, 3, s.number(t, "SELECT occurrences FROM audit_events WHERE action = 'member_read'"))
	a, w := admin.MemberID, who.MemberID
	return []string{
		fmt.Sprintf("sign_up success %d→%d%s session %d", a, a, from, admin.SessionID),
		fmt.Sprintf("sign_up success %d→%d%s session %d", w, w, from, who.SessionID),
		fmt.Sprintf("sign_up_repeat success 0→%d%s", w, from),
		"refresh failure 0→0" + from,
		fmt.Sprintf("access_denied failure %d→%d%s PATCH /accounts/users/:id", w, a, from),
		fmt.Sprintf("member_read success %d→%d%s", a, w, from),
		fmt.Sprintf("member_list success %d→0%s name, is_admin=false", a, from),
		fmt.Sprintf("member_export success %d→0%s name, is_admin=false", a, from),
		fmt.Sprintf("session_list success %d→%d%s", a, w, from),
		fmt.Sprintf("audit_list success %d→0%s", a, from),
		fmt.Sprintf("order_read success %d→%d%s order 12", a, w, from),
		fmt.Sprintf("order_list success %d→%d%s order 12", a, w, from),
		fmt.Sprintf("order_export success %d→%d%s order 12", a, w, from),
	}
}

// restricted returns a service whose user has the least rights that it needs.
func restricted(t *testing.T) *serving {
	t.Helper()
	f := newStore(t)
	user := "'" + f.Schema.App.User + "'@'%'"
	f.exec(t, "REVOKE SELECT, INSERT, UPDATE, DELETE ON "+f.Schema.Name+".* FROM "+user)
	for _, table := range []string{
		"members", "member_grams", "sessions", "refresh_tokens", "knox_tokens", "revocations", "revocation_counter", "login_failures", "known_devices", "heartbeat",
		"idempotency_keys", "outbox", "member_moves", "drf_imports",
	} {
		f.exec(t, "GRANT SELECT, INSERT, UPDATE, DELETE ON "+f.Schema.Name+"."+table+" TO "+user)
	}
	f.exec(t, "GRANT SELECT, INSERT ON "+f.Schema.Name+".audit_events TO "+user)
	return serve(on(t, mysqlxtest.Connect(t, f.Pair, f.Schema))) // on connections that have the new rights
}

func TestEverythingThatMattersIsWrittenDownWithoutSecretsByAUserWhoCannotChangeIt(t *testing.T) {
	t.Parallel()
	s := restricted(t)
	want := append(story(t, s), looksAndRefusals(t, s)...)
	var got []string
	actions := map[string]bool{}
	for _, event := range s.events(t) {
		got = append(got, line(event))
		actions[string(event.Action)] = true
		require.Contains(t, []string{"", "request-1"}, event.RequestID)
	}
	require.ElementsMatch(t, want, got)
	require.Len(t, actions, len(audit.Actions()), "the story leaves an action out")
	require.Zero(t, s.number(t, `SELECT COUNT(*) FROM audit_events WHERE CONCAT_WS(' ', action, address, outcome, request_id, detail)
		REGEXP 'x\\.test|pwd|hash|Browser|0212345|0999999|Casey|casey|[A-Za-z0-9_-]{43}'`))
	for _, statement := range []string{"UPDATE audit_events SET actor = 1", "DELETE FROM audit_events"} {
		_, err := s.db.ExecContext(t.Context(), statement)
		require.ErrorContains(t, err, "denied")
	}
}

func TestAnEventAndWhatItTellsAreWrittenBothOrNeither(t *testing.T) {
	t.Parallel()
	s := newService(t)
	admin, who := s.registerAdmin(t, 0), s.Register(t, 1)
	update := func(change account.Change) error {
		_, _, err := s.Update(t.Context(), admin.Principal, who.MemberID, change)
		return err
	}
	s.exec(t, "ALTER TABLE audit_events RENAME TO audit_events_away")
	for name, act := range map[string]func() error{
		"update":      func() error { return update(account.Change{Nickname: new("hijack")}) },
		"deactivate":  func() error { return update(account.Change{Active: new(false)}) },
		"promote":     func() error { return update(account.Change{Admin: new(true)}) },
		"delete":      func() error { _, err := s.Delete(t.Context(), admin.Principal, who.MemberID, nil); return err },
		"end session": func() error { _, err := s.EndSession(t.Context(), admin.Principal, who.SessionID); return err },
		"login":       func() error { _, err := s.LogIn(t.Context(), browser, who.Email, password); return err },
		"logout":      func() error { _, err := s.LogOut(t.Context(), who.Principal); return err },
		"sign-up": func() error {
			_, _, err := s.SignUp(t.Context(), browser, account.NewMember{Email: "n@x.test"}, "")
			return err
		},
	} {
		require.Error(t, act(), name)
	}
	s.exec(t, "ALTER TABLE audit_events_away RENAME TO audit_events")
	require.Equal(t, 2, s.number(t, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL"))
	require.Equal(t, 2, s.number(t, "SELECT COUNT(*) FROM members WHERE is_active AND nickname = 'casey'"))
	require.Empty(t, s.Everything(t))
	require.Zero(t, s.number(t, "SELECT latest FROM revocation_counter"))
}

func TestEventsAreFilteredAndPagedNewestFirst(t *testing.T) {
	t.Parallel()
	s := newService(t)
	admin, who := s.registerAdmin(t, 0), s.Register(t, 1)
	began := s.Now()
	for range 3 {
		s.Advance(time.Second)
		s.Again(t, who)
		s.refuse(t, browser, who.Email, wrong)
	}
	all := s.events(t)
	for name, test := range map[string]struct {
		matches []listing.Match
		keep    func(audit.Event) bool
	}{
		"all":     {nil, func(audit.Event) bool { return true }},
		"action":  {[]listing.Match{is("action", "sign_up")}, func(e audit.Event) bool { return e.Action == audit.SignUp }},
		"actor":   {[]listing.Match{is("actor", who.MemberID)}, func(e audit.Event) bool { return e.Actor == who.MemberID }},
		"nobody":  {[]listing.Match{is("actor", uint64(0))}, func(e audit.Event) bool { return e.Actor == 0 }},
		"subject": {[]listing.Match{is("subject", who.MemberID)}, func(e audit.Event) bool { return e.Subject == who.MemberID }},
		"outcome": {[]listing.Match{is("outcome", "failure")}, func(e audit.Event) bool { return e.Outcome == audit.Failure }},
		"since": {
			[]listing.Match{{Field: "at", Op: listing.AtLeast, Values: []any{began.Add(2 * time.Second)}}},
			func(e audit.Event) bool { return !e.At.Before(began.Add(2 * time.Second)) },
		},
		"until": {
			[]listing.Match{{Field: "at", Op: listing.Below, Values: []any{began.Add(2 * time.Second)}}},
			func(e audit.Event) bool { return e.At.Before(began.Add(2 * time.Second)) },
		},
		"two": {[]listing.Match{is("action", "login"), is("outcome", "success")}, func(e audit.Event) bool {
			return e.Action == audit.Login && e.Outcome == audit.Success
		}},
	} {
		var want []uint64
		for i := len(all) - 1; i >= 0; i-- {
			if test.keep(all[i]) {
				want = append(want, all[i].ID)
			}
		}
		require.NotEmpty(t, want, name)
		for offset := range len(want) {
			page, err := s.AuditEvents(latest(t), admin.Principal, listing.Request{Limit: 2, Offset: offset, Matches: test.matches})
			require.NoError(t, err)
			require.Equal(t, len(want), page.Count, name)
			var got []uint64
			for _, event := range page.Values {
				got = append(got, event.ID)
			}
			require.Equal(t, want[offset:min(offset+2, len(want))], got, name)
		}
	}
}
