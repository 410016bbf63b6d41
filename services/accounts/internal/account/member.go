// Package account is the domain of the accounts service: members, their sessions, and who may see and do what. It
// guarantees that every path to a member passes these rules, whatever the transport.
//
// It imports no HTTP, no SQL and no NATS; what it needs from outside it names as ports in ports.go.
package account

import (
	"time"

	"oms.internal/libs/contracts/accounts"
)

// Member is one person with an account.
type Member struct {
	ID       uint64
	Email    string // as the member wrote it; see Mailbox
	Name     string
	Nickname string
	Phone    string
	Gender   string // "M", "F" or "" for unknown
	// PasswordHash is in PHC string format (argon2id) or in Django's format (pbkdf2_sha256).
	PasswordHash string
	Admin        bool
	Active       bool
	CreatedAt    time.Time
	// Version counts the changes of what is stored of the member, from 1.
	Version uint64
}

// password tells the member's present password from every other one. That a login made a new hash of the same password makes a
// difference, too.
func (m Member) password() Digest { return digest("password", m.PasswordHash) }

// Session is one login. Its id is the sid of the tokens.
type Session struct {
	ID        uint64
	MemberID  uint64
	CreatedAt time.Time
	// ExpiresAt is when the session ends unless it is refreshed: when its latest refresh token expires.
	ExpiresAt time.Time
	// TokenExpiresAt is when the last access token that was issued for the session expires.
	TokenExpiresAt time.Time
	LastSeenAt     time.Time // the zero time where it was not seen since it was opened
	Address        string    // the client's IP address, or ""
	UserAgent      string    // at most MaxUserAgent characters
	Revoked        bool
}

// Live reports whether the session can be used.
func (s Session) Live(now time.Time) bool { return !s.Revoked && now.Before(s.ExpiresAt) }

// Revocation ends tokens before they expire: those of one session, or those of every session of a member up to an id, but
// for one.
type Revocation struct {
	Sequence       uint64 // given by the store: no gaps, in the order of the commits
	SessionID      uint64 // 0 where ThroughSession is set
	MemberID       uint64
	ThroughSession uint64
	ExceptSession  uint64
	Until          time.Time // after the last of these tokens has expired by itself
}

// Contract returns revocations as gateways are told of them.
func Contract(revocations []Revocation) accounts.Revocations {
	var told accounts.Revocations
	told.Revocations = make([]accounts.Revocation, len(revocations))
	for i, revocation := range revocations {
		told.Revocations[i] = accounts.Revocation(revocation)
	}
	return told
}

// Order is what a member's page shows of an order.
type Order struct {
	ID          uint64
	CustomerID  uint64
	OrderNumber string
	ProductName string
	PaidAt      time.Time
	State       string
}
