package consistency

import (
	"context"
	"slices"
	"sync"
)

type key struct{}

// request is what one request must see, and what it has written about whom.
type request struct {
	after Token

	mutex   sync.Mutex
	written Written
}

// Into returns a context for one request that must see everything up to after, and that remembers its writes.
func Into(ctx context.Context, after Token) context.Context {
	return context.WithValue(ctx, key{}, &request{after: after})
}

// After is what a read in this context must see: what the request must see, and what it has written itself.
func After(ctx context.Context) Token {
	found, ok := ctx.Value(key{}).(*request)
	if !ok {
		return 0
	}
	return max(found.after, WrittenBy(ctx))
}

// Wrote notes a write of the request. It does nothing in a context that is not Into's.
func Wrote(ctx context.Context, token Token) {
	if found, ok := ctx.Value(key{}).(*request); ok {
		found.mutex.Lock()
		defer found.mutex.Unlock()
		found.written.Token = max(found.written.Token, token)
	}
}

// WrittenBy is the token that covers all writes of the request so far, 0 where there was none.
func WrittenBy(ctx context.Context) Token {
	if found, ok := ctx.Value(key{}).(*request); ok {
		found.mutex.Lock()
		defer found.mutex.Unlock()
		return found.written.Token
	}
	return 0
}

// Concern notes members who must see what the request writes, if it writes anything, beside its caller: those about whom it
// writes, and who signs up or logs in by it. An id of 0 is nobody. It does nothing in a context that is not Into's.
func Concern(ctx context.Context, memberIDs ...uint64) {
	found, ok := ctx.Value(key{}).(*request)
	if !ok {
		return
	}
	found.mutex.Lock()
	defer found.mutex.Unlock()
	for _, id := range memberIDs {
		if id != 0 && !slices.Contains(found.written.MemberIDs, id) {
			found.written.MemberIDs = append(found.written.MemberIDs, id)
		}
	}
}

// Writes returns the token of WrittenBy with the members of Concern.
func Writes(ctx context.Context) Written {
	found, ok := ctx.Value(key{}).(*request)
	if !ok {
		return Written{}
	}
	found.mutex.Lock()
	defer found.mutex.Unlock()
	return Written{MemberIDs: slices.Clone(found.written.MemberIDs), Token: found.written.Token}
}
