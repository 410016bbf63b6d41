package account

import (
	"context"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/listing"
)

// Store keeps members, sessions and what is known of both. Missing rows are the fault NotFound, an email in use is
// ErrEmailTaken. What ends sessions writes its events and its revocation in the same transaction, and returns the
// revocation with its sequence number; there is none where nothing was left to end. What changes a member counts its
// version and tells others of it (created, changed, deleted), in the same transaction again.
type Store interface {
	MemberStore
	SessionStore
	ThrottleStore
	AuditStore
}

// MemberStore keeps members. Its answers are the latest, but for those that say so: they see at least what the consistency
// token in ctx covers, and replicas can give them.
type MemberStore interface {
	// CreateMember stores the member, its first session and what the request keeps of them, all or nothing. Where a request with
	// that key was done before, it writes nothing and returns what was kept of that.
	CreateMember(ctx context.Context, member Member, session Session, record LoginRecord, request IdempotentRequest) (kept []byte, err error)
	// Kept returns what was kept of a request with that key, nil where there was none. It waits for one that is being
	// written. A key of another request is the fault KeyReused, here and in CreateMember.
	Kept(ctx context.Context, request IdempotentRequest) ([]byte, error)
	// CreateAdmin stores the member, or gives the member whom the email names the admin right and this password hash and
	// ends its sessions. The member's id is added to the events of the ending.
	CreateAdmin(ctx context.Context, member Member, ending Ending) (created bool, revocations []Revocation, err error)
	// Member returns one member as ctx must see it. A replica that is behind denies no member.
	Member(ctx context.Context, id uint64) (Member, error)
	// LatestMember returns one member, for what depends on its rights or its password.
	LatestMember(ctx context.Context, id uint64) (Member, error)
	// MemberByEmail finds the member whom an email names: see Holder.
	MemberByEmail(ctx context.Context, email string) (Member, error)
	// Members returns one page of a list, as ctx must see it.
	Members(ctx context.Context, query Query) (listing.Rows[Member], error)
	// ImportedMembers returns which of these ids are those of members who were imported.
	ImportedMembers(ctx context.Context, ids []uint64) ([]uint64, error)
	// UpdateMember locks the member, lets change alter it, and stores it with what follows from that, all or nothing.
	// change may run more than once. A member that it leaves as it was keeps its version.
	UpdateMember(ctx context.Context, id uint64, change func(*Member) (Consequences, error)) (Member, []Revocation, error)
	// DeleteMember removes the member and what is known of its devices, and ends its sessions, all or nothing. It always
	// revokes: ids are never used again, so whatever session claims the member is over. allow may refuse the member that is
	// locked.
	DeleteMember(ctx context.Context, id uint64, allow func(Member) error, ending Ending) ([]Revocation, error)
	// MatchingMembers returns, for each term, the ids of members whose name or email holds it, most at the most, lowest
	// first, as ctx must see them; among restricts it to one member, unless 0.
	MatchingMembers(ctx context.Context, terms []string, among uint64, most int) ([][]uint64, error)
}

// SessionStore keeps sessions, their refresh tokens and revocations. All its answers are the latest.
type SessionStore interface {
	// CreateSession stores a session of the member whose password was verified, and returns the member as it is at that
	// moment. An inactive one is the fault Forbidden, one with another password hash is ErrPasswordChanged.
	CreateSession(ctx context.Context, verified Member, session Session, record LoginRecord) (Member, Session, error)
	Session(ctx context.Context, id uint64) (Session, error)
	// SessionOfKnoxToken returns the session that a token of drf-oms stands for, live or not, and of its member the id and the rights.
	SessionOfKnoxToken(ctx context.Context, digest KnoxDigest) (Session, Member, error)
	// Sessions returns one page of the live sessions of the member that the request names, newest first.
	Sessions(ctx context.Context, now time.Time, request listing.Request) (listing.Rows[Session], error)
	// MarkLastSeen notes when sessions were used. Times that are not newer than the known ones change nothing.
	MarkLastSeen(ctx context.Context, seen map[uint64]time.Time) error
	// RevokeSession ends one session of a member. Ending it twice is no error.
	RevokeSession(ctx context.Context, memberID, sessionID uint64, ending Ending) ([]Revocation, error)
	// RevokeSessions ends all sessions of a member.
	RevokeSessions(ctx context.Context, memberID uint64, ending Ending) ([]Revocation, error)
	// Revocations lists revocations that matter at now, in the order of their sequence numbers, behind after, and the
	// number up to which the list is complete.
	Revocations(ctx context.Context, after uint64, now time.Time, most int) (revocations []Revocation, latest uint64, err error)
	// RedeemRefreshToken locks the refresh token with this digest and all that it belongs to, lets decide judge it, and does what it
	// says, all or nothing. successor gives the digest of the token that follows a used one. decide may run more than once.
	RedeemRefreshToken(ctx context.Context, hash Digest, successor func(RefreshToken) Digest, decide func(Presented) Verdict) ([]Revocation, error)

	// The Delete methods remove up to most rows that expired before the given time, and return how many they removed.
	DeleteExpiredSessions(ctx context.Context, now time.Time, most int) (int, error)
	DeleteExpiredRefreshTokens(ctx context.Context, now time.Time, most int) (int, error)
	DeleteExpiredKnoxTokens(ctx context.Context, now time.Time, most int) (int, error)
	DeleteExpiredRevocations(ctx context.Context, now time.Time, most int) (int, error)
}

// ThrottleStore counts failures. All its answers are the latest.
type ThrottleStore interface {
	Standing(ctx context.Context, attempt Attempt) (Standing, error)
	// RecordFailure locks the counters of an attempt and stores those that judge returns, with the event. Where judge refuses, nothing
	// is written and its error is returned. judge may run more than once.
	RecordFailure(ctx context.Context, attempt Attempt, judge func(Standing) ([]Counted, error), event audit.Event) error
	// DeleteLoginFailures and DeleteKnownDevices remove up to most rows that were last touched before the given time.
	DeleteLoginFailures(ctx context.Context, before time.Time, most int) (int, error)
	DeleteKnownDevices(ctx context.Context, before time.Time, most int) (int, error)
}

// AuditStore keeps events.
type AuditStore interface {
	// RecordEvents stores events that belong to no other transaction, all or none.
	RecordEvents(ctx context.Context, events []audit.Event) error
	// DeleteOldAuditEvents removes up to most events from before a time, and none that is younger than MinAuditRetention.
	DeleteOldAuditEvents(ctx context.Context, before time.Time, most int) (int, error)
	// AuditEvents returns one page of events, newest first, as ctx must see it.
	AuditEvents(ctx context.Context, request listing.Request) (listing.Rows[audit.Event], error)
}

// Query says which members are wanted, in which order and which page of them.
type Query struct {
	listing.Request
	// EmailsOf is the only member whose email may be searched and filtered by, 0 for all.
	EmailsOf uint64
}

// Passwords hashes and checks passwords, in their normal form (NormalPassword). Households share its time, so each method is told
// in which one the client is.
type Passwords interface {
	// Ready returns the fault with which the others would refuse at once, so that a refusal needs no database.
	Ready(household string) error
	Hash(ctx context.Context, household, password string) (string, error)
	// Verify reports whether the password, or else its normal form, belongs to the hash, and whether the hash should be made
	// anew. The empty hash belongs to no password and takes as long to check as any.
	Verify(ctx context.Context, household, hash, password string) (ok, outdated bool, err error)
}

// Tokens issues what a client shows from then on.
type Tokens interface {
	// Issue returns an access token of a session, valid from issuedAt until expiresAt.
	Issue(member Member, sessionID uint64, issuedAt, expiresAt time.Time) (string, error)
}

// LastOrders asks the orders service.
type LastOrders interface {
	// LastOrders returns the last order of each customer that has one, as ctx must see it.
	LastOrders(ctx context.Context, customerIDs []uint64) (map[uint64]Order, error)
}

// RevocationPublisher tells all gateways what is revoked. A failure is not an error: gateways also ask on their own.
type RevocationPublisher interface {
	Publish(ctx context.Context, revocations []Revocation)
}

// Vault hides what is kept of requests that must be done once: an answer holds tokens, and what was asked a password.
type Vault interface {
	// Fingerprint is the same for the same parts. Nobody without the vault's secret can find the parts by trying.
	Fingerprint(parts ...string) Digest
	// Seal returns the answer to the request with this fingerprint in a form that Open alone reads, and only with the same
	// fingerprint.
	Seal(fingerprint Digest, done SignedUp) ([]byte, error)
	Open(fingerprint Digest, sealed []byte) (SignedUp, error)
}
