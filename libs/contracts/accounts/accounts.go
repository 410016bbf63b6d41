// Package accounts is what other processes may ask of, and hear from, the accounts service over NATS: subjects and
// messages. It holds no behaviour and imports nothing.
//
// Messages only gain members; a member is never renamed or given another meaning, since both ends are updated at
// different times.
package accounts

import "time"

// Service is the name of the micro service and the audience of principals for it.
const Service = "accounts"

// Subjects of requests.
const (
	SubjectExists     = "oms.rpc.accounts.exists"
	SubjectMatch      = "oms.rpc.accounts.match"
	SubjectImported   = "oms.rpc.accounts.imported"
	SubjectLastSeen   = "oms.rpc.accounts.seen"
	SubjectCredential = "oms.rpc.accounts.credential" //nolint:gosec // where to ask about credentials, and none itself
)

// SubjectRevoked is where accounts publishes a Revocations message after each revocation.
const SubjectRevoked = "oms.revocations"

// HeaderRevocations is the HTTP header in which accounts tells the gateway what a request revoked (a Revocations
// message as JSON), so that the same gateway refuses the tokens before it answers. It never reaches a client.
const HeaderRevocations = "Oms-Revocations"

// ExistsRequest asks whether a member exists and what it may do now, for decisions on writes.
type ExistsRequest struct {
	MemberID uint64 `json:"member_id"`
}

// ExistsReply answers ExistsRequest.
type ExistsReply struct {
	Exists bool `json:"exists"`
	// Active says that the member may log in, and Admin that it has the admin right; the right of who is not active does
	// not count.
	Active bool `json:"active,omitempty"`
	Admin  bool `json:"admin,omitempty"`
}

// MaxImported is how many members one ImportedRequest names at most.
const MaxImported = 1000

// ImportedRequest asks which of some members of drf-oms are here, having been imported from there. The ids are those of drf-oms. A member who
// was not imported may have such an id, too, and is another person.
type ImportedRequest struct {
	MemberIDs []uint64 `json:"member_ids"`
}

// ImportedReply answers ImportedRequest.
type ImportedReply struct {
	MemberIDs []uint64 `json:"member_ids"`
}

// MaxMatches is how many members a term of a MatchRequest yields at most.
const MaxMatches = 1000

// MatchRequest asks which members match each of up to listing.MaxTerms terms by name or email.
type MatchRequest struct {
	Terms []string `json:"terms"`
	// Among restricts the search to one member; 0 searches all.
	Among uint64 `json:"among,omitempty"`
	// After is the consistency token (libs/consistency) of the member who will see the answer; 0 asks for nothing.
	After uint64 `json:"after,omitempty"`
}

// MatchReply answers MatchRequest.
type MatchReply struct {
	// MemberIDs holds, for each term in its order, the ids of the members that match it: at most MaxMatches, the
	// lowest ids first.
	MemberIDs [][]uint64 `json:"member_ids"`
	// Truncated says that a term matched more members than it lists.
	Truncated bool `json:"truncated,omitempty"`
}

// MaxRevocations is how many revocations one answer at PathRevocations holds at most.
const MaxRevocations = 1000

// PathRevocations is the HTTP path on accounts that answers which revocations still matter, in ascending order of their
// sequence numbers. The query parameter after skips those up to a number. The request carries a principal (libs/authn);
// the path is not reachable from outside.
const PathRevocations = "/internal/revocations"

// Revocations lists what is no longer valid. It is the answer at PathRevocations, the message on SubjectRevoked and the
// content of HeaderRevocations.
type Revocations struct {
	Revocations []Revocation `json:"revocations"`
	// Latest is, in an answer at PathRevocations, the sequence number up to which it is complete: that of its last element
	// where it is full (MaxRevocations), else the highest that was ever given. The reader asks for what is after it next.
	Latest uint64 `json:"latest,omitempty"`
}

// Revocation ends tokens before they expire: those of one session, or those of all sessions of a member up to an id.
type Revocation struct {
	// Sequence numbers start at 1 and have no gaps: they are given in the transaction that revokes, in the order of the
	// commits. Who has seen N and receives N+2 has missed one.
	Sequence uint64 `json:"sequence"`
	// SessionID is the session that ended, or 0 where ThroughSession is set.
	SessionID uint64 `json:"session_id,omitempty"`
	// MemberID and ThroughSession end every session of this member whose id is at most ThroughSession, but for
	// ExceptSession.
	MemberID       uint64 `json:"member_id,omitempty"`
	ThroughSession uint64 `json:"through_session,omitempty"`
	ExceptSession  uint64 `json:"except_session,omitempty"`
	// Until is when the last of these tokens expires by itself; the revocation can be forgotten then.
	Until time.Time `json:"until"`
}

// CredentialKnox is the kind of the tokens that drf-oms (knox) issued. Their digest is SHA-512 of the 32 bytes that the token spells
// in hex.
const CredentialKnox = "knox"

// ScopeMember is the scope of a credential that may do all that its member may.
const ScopeMember = "member"

// CredentialRequest asks for whom an opaque credential stands, one that says nothing by itself. The credential itself is never
// sent, only its digest.
type CredentialRequest struct {
	Kind   string `json:"kind"`
	Digest []byte `json:"digest"`
}

// CredentialReply answers CredentialRequest. It may be remembered for some seconds, as long as each use of it looks whether the
// session was revoked meanwhile.
type CredentialReply struct {
	// Found says that there is such a credential, and that it counts now: it has not expired, its session goes on and its member is
	// active. Otherwise nothing else is told.
	Found     bool   `json:"found"`
	MemberID  uint64 `json:"member_id,omitempty"`
	SessionID uint64 `json:"session_id,omitempty"`
	// Admin is the member's right, as it is now.
	Admin bool `json:"admin,omitempty"`
	// Scopes are what the credential may be used for. A reader lets it do nothing for a scope that it does not know.
	Scopes []string `json:"scopes,omitempty"`
	// ExpiresAt is when the credential expires. The session's revocation lasts longer, if there is one.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// MaxLastSeen is how many sessions one LastSeenRequest names at most.
const MaxLastSeen = 1000

// LastSeenRequest tells when sessions were last used. Gateways collect them and report each session at most once a minute.
type LastSeenRequest struct {
	Sessions []LastSeen `json:"sessions"`
}

// LastSeen is one session and when it was used.
type LastSeen struct {
	SessionID uint64    `json:"session_id"`
	At        time.Time `json:"at"`
}

// LastSeenReply answers LastSeenRequest.
type LastSeenReply struct{}
