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
	SubjectExists      = "oms.rpc.accounts.exists"
	SubjectMatch       = "oms.rpc.accounts.match"
	SubjectRevocations = "oms.rpc.accounts.revocations"
)

// SubjectRevoked is where accounts publishes a Revocations message after each revocation.
const SubjectRevoked = "oms.revocations"

// HeaderRevocations is the HTTP header in which accounts tells the gateway what a request revoked (a Revocations
// message as JSON), so that the same gateway refuses the tokens before it answers. It never reaches a client.
const HeaderRevocations = "Oms-Revocations"

// ExistsRequest asks whether a member exists.
type ExistsRequest struct {
	MemberID uint64 `json:"member_id"`
}

// ExistsReply answers ExistsRequest.
type ExistsReply struct {
	Exists bool `json:"exists"`
}

// MaxMatches is how many members a term of a MatchRequest yields at most.
const MaxMatches = 1000

// MatchRequest asks which members match each of up to listing.MaxTerms terms by name or email.
type MatchRequest struct {
	Terms []string `json:"terms"`
	// Among restricts the search to one member; 0 searches all.
	Among uint64 `json:"among,omitempty"`
	// ReaderID is the member who will see the answer, 0 for nobody in particular: it must not miss what it wrote itself.
	ReaderID uint64 `json:"reader_id,omitempty"`
}

// MatchReply answers MatchRequest.
type MatchReply struct {
	// MemberIDs holds, for each term in its order, the ids of the members that match it: at most MaxMatches, the
	// lowest ids first.
	MemberIDs [][]uint64 `json:"member_ids"`
	// Truncated says that a term matched more members than it lists.
	Truncated bool `json:"truncated,omitempty"`
}

// MaxRevocations is how many revocations one RevocationsReply holds at most.
const MaxRevocations = 5000

// RevocationsRequest asks for the revoked sessions whose tokens have not expired, in ascending order of their ids.
type RevocationsRequest struct {
	// AfterSession skips the sessions up to this id.
	AfterSession uint64 `json:"after_session"`
}

// Revocations lists what is no longer valid. It is the reply to RevocationsRequest (complete when it holds fewer than
// MaxRevocations) and the message on SubjectRevoked.
type Revocations struct {
	Revocations []Revocation `json:"revocations"`
}

// Revocation ends tokens before they expire: those of one session or those of all sessions of a member up to an id.
type Revocation struct {
	// SessionID is the session that ended, or 0 where ThroughSession is set.
	SessionID uint64 `json:"session_id,omitempty"`
	// MemberID and ThroughSession end every session of this member whose id is at most ThroughSession.
	MemberID       uint64 `json:"member_id,omitempty"`
	ThroughSession uint64 `json:"through_session,omitempty"`
	// Until is when the last of these tokens expires by itself; the revocation can be forgotten then.
	Until time.Time `json:"until"`
}
