package account

import (
	"context"
	"time"

	"oms.internal/libs/listing"
)

// Freshness says how old the answer to a read may be.
type Freshness int

// The freshnesses.
const (
	// Recent may miss the last seconds; replicas can serve it.
	Recent Freshness = iota
	// Latest sees every acknowledged write.
	Latest
)

// Store keeps members and sessions. Missing rows are the fault NotFound, an email in use is ErrEmailTaken.
type Store interface {
	// CreateMember stores the member and its first session, both or none, and returns them with their ids.
	CreateMember(ctx context.Context, member Member, session Session) (Member, Session, error)
	// CreateAdmin stores the member, or gives the member with this email the admin right and this password hash.
	CreateAdmin(ctx context.Context, member Member) (created bool, err error)
	// Member returns one member. Its answer is the latest: a replica that is behind must not deny what was acknowledged.
	Member(ctx context.Context, id uint64) (Member, error)
	// MemberByEmail finds a member by its email, whatever the case. Its answer is the latest.
	MemberByEmail(ctx context.Context, email string) (Member, error)
	// Members returns one page of a list, and how many members the whole list has.
	Members(ctx context.Context, query Query, freshness Freshness) ([]Member, int, error)
	// UpdateMember locks the member, lets change alter it, and stores it, all or nothing. change may run more than once.
	UpdateMember(ctx context.Context, id uint64, change func(*Member) error) (Member, error)
	// DeleteMember removes the member and revokes its sessions at the given time, both or none.
	DeleteMember(ctx context.Context, id uint64, now time.Time) error
	// MatchingMembers returns, for each term, the ids of members whose name or email holds it, most at the most, lowest
	// first; among restricts it to one member, unless 0.
	MatchingMembers(ctx context.Context, terms []string, among uint64, most int, freshness Freshness) ([][]uint64, error)

	// CreateSession stores a session of an active member. rehashed replaces the member's password hash unless it is "".
	CreateSession(ctx context.Context, member Member, session Session, rehashed string) (Session, error)
	// RevokeSession ends one session of a member. Ending it twice is no error.
	RevokeSession(ctx context.Context, memberID, sessionID uint64, now time.Time) error
	// RevokeSessions ends all sessions of a member and returns the highest id of those that there are.
	RevokeSessions(ctx context.Context, memberID uint64, now time.Time) (through uint64, err error)
	// RevokedSessions lists revoked sessions whose tokens are valid at now, in the order of their ids, behind after.
	RevokedSessions(ctx context.Context, after uint64, now time.Time, most int) ([]Session, error)
	// DeleteExpiredSessions removes up to most sessions that expired before now, and returns how many it removed.
	DeleteExpiredSessions(ctx context.Context, now time.Time, most int) (int, error)
}

// Query says which members are wanted, in which order and which page of them.
type Query struct {
	listing.Request
	Email string // "" for any
	Name  string // "" for any
	// EmailsOf is the only member whose email may be searched and filtered by, 0 for all.
	EmailsOf uint64
}

// Passwords hashes and checks passwords.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	// Verify reports whether the password belongs to the hash, and whether the hash should be made anew. The empty hash
	// belongs to no password and takes as long to check as any.
	Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error)
}

// Tokens issues what a client shows from then on.
type Tokens interface {
	Issue(member Member, session Session) (string, error)
}

// LastOrders asks the orders service.
type LastOrders interface {
	// LastOrders returns the last order of each customer that has one, as the reader may expect to see it.
	LastOrders(ctx context.Context, customerIDs []uint64, readerID uint64) (map[uint64]Order, error)
}

// Announcer tells all gateways what is revoked. Failing is not an error: gateways also learn of it on their own.
type Announcer interface {
	Announce(ctx context.Context, revocations []Revocation)
}

// RecentWrites remembers who wrote a moment ago and therefore must not read from a replica.
type RecentWrites interface {
	Mark(memberID uint64)
	Wrote(memberID uint64) bool
}
