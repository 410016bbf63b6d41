// Package consistency lets callers read their own writes though replicas are behind: nobody is shown less than an answer
// told before.
//
// A token is a time on the primary's clock. mysqlx makes one when a commit is acknowledged: a time that the clock had
// surely not passed by then. A replica serves a read that requires the token once it has applied what the primary had at
// that time; otherwise the primary serves it.
//
// Within a request the token is in the context (Into, After, Wrote). Between processes it travels in two ways:
//   - Over HTTP in Header, to a service with a request and from it with the answer to a write, and on to the client, which
//     may send it back. HeaderConcerned adds, for the gateway only, whom the write concerns. See consistencyhttp.
//   - Over NATS on SubjectWritten, from a service to all gateways, since the next request may come through another one. See
//     consistencynats. Requests between services have a member "after".
//
// Gateways and services each keep a Memory of the tokens of the last minute, so that also a client that sends none reads its
// writes. A client that sends its last token depends on nobody's memory.
//
// This package imports no transport, so that the domain may import it.
package consistency

import "strconv"

const (
	// Header carries a token, in requests and in answers.
	Header = "Consistency-Token"
	// HeaderConcerned names, in an answer to the gateway, the members whom the write concerns, separated by commas.
	HeaderConcerned = "Oms-Told"
	// SubjectWritten is where services publish a Written message after each write.
	SubjectWritten = "oms.consistency"
)

// Token is a time on the primary's clock in microseconds since 1970; clients take it as it is. 0 requires nothing.
type Token uint64

// Newest is later than any write: a read with it, or with any token that no primary can have issued yet, is served by the
// primary alone and sees everything that was acknowledged before it began.
const Newest = Token(1<<63 - 1)

// Parse reads a token from a header. What is no token requires nothing, since a client may send anything.
func Parse(text string) Token {
	value, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0
	}
	return Token(value)
}

// String is the form that Parse reads.
func (t Token) String() string { return strconv.FormatUint(uint64(t), 10) }

// Written is a token, and the members who must see what it covers: whoever wrote, and whom it was about.
type Written struct {
	MemberIDs []uint64 `json:"member_ids"`
	Token     Token    `json:"token"`
}
