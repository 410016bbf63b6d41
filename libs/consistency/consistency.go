// Package consistency is how a caller never sees less than it was told: after each write it gets a token, a time on the
// primary's clock that is surely behind the write, and a replica serves its reads only once it is known to have applied
// what the primary had at that time.
//
// The token travels in the header Consistency-Token from service to gateway to client and back, in the context within a
// process, and over NATS to the gateways that did not pass the write on.
package consistency

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// Header carries a token, in requests and in answers.
const Header = "Consistency-Token"

// SubjectWritten is where services publish a Written message after each write.
const SubjectWritten = "oms.consistency"

// Token is a time on the primary's clock in microseconds since 1970; clients take it as it is. 0 asks for nothing.
type Token uint64

// Newest is later than any write: a read with it, or with any token that no primary can have issued yet, is served by the
// primary alone and sees everything that was acknowledged before it began.
const Newest = Token(1<<63 - 1)

// Parse reads a token from a header. What is no token asks for nothing, since a client may send anything.
func Parse(text string) Token {
	value, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0
	}
	return Token(value)
}

// String is the form that Parse reads.
func (t Token) String() string { return strconv.FormatUint(uint64(t), 10) }

// Written tells which members wrote, or were written about, and the token that covers it.
type Written struct {
	MemberIDs []uint64 `json:"member_ids"`
	Token     Token    `json:"token"`
}

type key struct{}

// trail is what one request must see and what it has written.
type trail struct {
	after   Token
	written atomic.Uint64

	mutex sync.Mutex
	told  []uint64
}

// Into returns a context for one request that must see everything up to after, and that remembers its writes.
func Into(ctx context.Context, after Token) context.Context {
	return context.WithValue(ctx, key{}, &trail{after: after})
}

// After is what a read in this context must see: what the caller was told, and what the request itself has written.
func After(ctx context.Context) Token {
	found, ok := ctx.Value(key{}).(*trail)
	if !ok {
		return 0
	}
	return max(found.after, Token(found.written.Load()))
}

// Wrote notes a write of the request. Without Into before, there is nobody to tell.
func Wrote(ctx context.Context, token Token) {
	found, ok := ctx.Value(key{}).(*trail)
	if !ok {
		return
	}
	for {
		before := found.written.Load()
		if uint64(token) <= before || found.written.CompareAndSwap(before, uint64(token)) {
			return
		}
	}
}

// WrittenBy is the token that covers all writes of the request so far, 0 where there was none.
func WrittenBy(ctx context.Context) Token {
	found, ok := ctx.Value(key{}).(*trail)
	if !ok {
		return 0
	}
	return Token(found.written.Load())
}

// Tell notes members who are told of the request's writes by its answer though they are not its caller: who signs up or
// logs in is nobody yet when the request comes.
func Tell(ctx context.Context, memberIDs ...uint64) {
	found, ok := ctx.Value(key{}).(*trail)
	if !ok {
		return
	}
	found.mutex.Lock()
	defer found.mutex.Unlock()
	found.told = append(found.told, memberIDs...)
}

// Told lists the members of Tell.
func Told(ctx context.Context) []uint64 {
	found, ok := ctx.Value(key{}).(*trail)
	if !ok {
		return nil
	}
	found.mutex.Lock()
	defer found.mutex.Unlock()
	return slices.Clone(found.told)
}
