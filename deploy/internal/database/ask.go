package database

import (
	"context"
	"fmt"
	"sync"
	"time"

	"oms.internal/deploy/internal/stack"
)

// answerTime is how long a server may take to say whether it takes writes.
const answerTime = 3 * time.Second

// Answer is what a server says when it is asked whether it is the primary.
type Answer struct {
	Primary bool  // it takes writes
	Err     error // why it does not answer
}

// Ask asks both servers at the same time, and returns what they say by their names.
func Ask(ctx context.Context, s stack.Stack) map[string]Answer {
	servers, err := Open(s)
	if err != nil {
		return map[string]Answer{"primary": {Err: err}, "replica": {Err: err}}
	}
	defer Close(servers) //nolint:errcheck // nothing was written
	answers := make([]Answer, len(servers))
	var asked sync.WaitGroup
	for i, server := range servers {
		asked.Go(func() { answers[i] = ask(ctx, server) })
	}
	asked.Wait()
	said := map[string]Answer{}
	for i, server := range servers {
		said[server.Name] = answers[i]
	}
	return said
}

func ask(ctx context.Context, server Server) Answer {
	ctx, cancel := context.WithTimeoutCause(ctx, answerTime, fmt.Errorf("no answer within %s", answerTime))
	defer cancel()
	var readOnly bool
	err := server.DB.QueryRowContext(ctx, "SELECT @@GLOBAL.read_only").Scan(&readOnly)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return Answer{Primary: err == nil && !readOnly, Err: err}
}
