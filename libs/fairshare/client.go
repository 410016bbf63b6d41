package fairshare

import "context"

type clientKey struct{}

// Into returns a context for work that is done on behalf of a member.
func Into(ctx context.Context, memberID uint64) context.Context {
	return context.WithValue(ctx, clientKey{}, memberID)
}

// Client returns the member on whose behalf work is done, 0 for nobody in particular.
func Client(ctx context.Context) uint64 {
	memberID, _ := ctx.Value(clientKey{}).(uint64)
	return memberID
}
