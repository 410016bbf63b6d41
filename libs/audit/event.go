// Package audit is what is written down for admins: who did what to whom, when, from where, and whether it succeeded. The accounts
// service keeps the events of all services and shows them. Nobody changes them, and old ones go after a time that operators set. They
// hold ids and addresses, and nothing else of a person: no email, no name, no token, no password, no user agent.
//
// It imports no HTTP, no SQL and no NATS.
package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"oms.internal/libs/authn"
	"oms.internal/libs/listing"
	"oms.internal/libs/requestid"
)

// Action is what was done. The set is closed.
type Action string

// The actions.
const (
	SignUp         Action = "sign_up"
	Login          Action = "login"
	SignUpRepeat   Action = "sign_up_repeat" // a sign-up that was done was answered again
	PasswordCheck  Action = "password_check" // of a member that changes its email or password
	Refresh        Action = "refresh"        // only where it fails: a refresh token that is unknown, or counts no more
	AccessDenied   Action = "access_denied"  // a member asked for what is not its own to do
	Logout         Action = "logout"
	LogoutAll      Action = "logout_all"
	SessionEnd     Action = "session_end"    // one session, by its id
	RefreshReuse   Action = "refresh_reuse"  // a used refresh token was shown again; its session ended
	RefreshRepeat  Action = "refresh_repeat" // a used refresh token gave its unused successor again, to another client
	KeyRotation    Action = "key_rotation"
	Import         Action = "import" // an operator took rows of another system, as many as an event tells
	MemberUpdate   Action = "member_update"
	MemberDelete   Action = "member_delete"
	PasswordChange Action = "password_change"
	Deactivation   Action = "deactivation"
	Activation     Action = "activation"
	AdminGrant     Action = "admin_grant"
	AdminRevoke    Action = "admin_revoke"
	MemberRead     Action = "member_read" // these four: an admin looked at others
	MemberList     Action = "member_list"
	MemberExport   Action = "member_export"
	SessionList    Action = "session_list"
	AuditList      Action = "audit_list" // an admin looked at the events
	OrderRead      Action = "order_read" // these three: an admin looked at orders of others
	OrderList      Action = "order_list"
	OrderExport    Action = "order_export"
)

var actions = []Action{
	SignUp, Login, PasswordCheck, Logout, LogoutAll, SessionEnd, RefreshReuse, RefreshRepeat, KeyRotation, Import, MemberUpdate, MemberDelete,
	PasswordChange, Deactivation, Activation, AdminGrant, AdminRevoke, SignUpRepeat, Refresh, AccessDenied, MemberRead, MemberList,
	MemberExport, SessionList, AuditList, OrderRead, OrderList, OrderExport,
}

// Actions returns the names of all actions.
func Actions() []string { return names(actions) }

// Outcome is how it went.
type Outcome string

// The outcomes.
const (
	Success Outcome = "success"
	Failure Outcome = "failure"
)

// Outcomes returns the names of all outcomes.
func Outcomes() []string { return names([]Outcome{Success, Failure}) }

func names[Name ~string](values []Name) []string {
	result := make([]string, len(values))
	for i, value := range values {
		result[i] = string(value)
	}
	return result
}

// Event is one thing that happened.
type Event struct {
	ID        uint64
	At        time.Time
	Action    Action
	Actor     uint64 // the member who did it, 0 for nobody known: an operator, or a caller without a session
	Subject   uint64 // the member to whom it was done, 0 for none
	Address   string // the client's IP address, "" for an operator
	Outcome   Outcome
	RequestID string
	Detail    string // a few words of our own, such as AboutSession
	Count     int    // how often it happened; At and RequestID are those of the first time
}

// By returns an event that says that the caller does something to a member now. It is a success unless changed.
func By(ctx context.Context, now time.Time, action Action, caller authn.Principal, subject uint64, detail string) Event {
	return Event{
		At: now, Action: action, Actor: caller.MemberID, Subject: subject, Address: caller.IP(),
		Outcome: Success, RequestID: requestid.From(ctx), Detail: detail, Count: 1,
	}
}

// AboutSession is the detail of an event that concerns one session.
func AboutSession(id uint64) string { return fmt.Sprintf("session %d", id) }

// AboutOrder is the detail of an event that concerns one order.
func AboutOrder(id uint64) string { return fmt.Sprintf("order %d", id) }

// Asked is the detail of a look at a list: what it was asked for. Texts are left out, since they may be somebody's name or email.
func Asked(request listing.Request) string {
	var parts []string
	for _, match := range request.Matches {
		part := match.Field
		switch value := match.Values[0].(type) {
		case bool, uint64:
			part = fmt.Sprintf("%s=%v", part, value)
		case time.Time:
			part = fmt.Sprintf("%s %s %s", part, match.Op, value.UTC().Format(time.RFC3339))
		}
		parts = append(parts, part)
	}
	if len(request.Terms) > 0 {
		parts = append(parts, "search")
	}
	return strings.Join(parts, ", ")
}
