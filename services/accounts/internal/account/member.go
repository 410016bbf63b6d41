// Package account is the domain of the accounts service: members, their sessions, and who may see and do what. It
// guarantees that every path to a member passes these rules, whatever the transport.
//
// It imports no HTTP, no SQL and no NATS; what it needs from outside it names as ports in ports.go.
package account

import (
	"strings"
	"time"
)

// Member is one person with an account.
type Member struct {
	ID       uint64
	Email    string // as the member wrote it; unique whatever its case
	Name     string
	Nickname string
	Phone    string
	Gender   string // "M", "F" or "" for unknown
	// PasswordHash is in PHC string format (argon2id) or in Django's format (pbkdf2_sha256).
	PasswordHash string
	Admin        bool
	Active       bool
	CreatedAt    time.Time
}

// Session is one login. Its id is the sid of the token.
type Session struct {
	ID        uint64
	MemberID  uint64
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Revocation ends tokens before they expire: those of one session, or those of every session of a member up to an id.
type Revocation struct {
	SessionID      uint64 // 0 where ThroughSession is set
	MemberID       uint64
	ThroughSession uint64
	Until          time.Time // when the last of these tokens expires by itself
}

// Order is what a member's page shows of an order.
type Order struct {
	ID          uint64
	CustomerID  uint64
	OrderNumber string
	ProductName string
	PaidAt      time.Time
}

// EmailKey returns the form of an email under which it is unique and found.
func EmailKey(email string) string { return strings.ToLower(email) }
