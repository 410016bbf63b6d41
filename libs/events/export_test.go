package events

import (
	"context"
	"time"

	"oms.internal/libs/mysqlx"
)

// SetRetries has refused events come again soon, so many times and for so long.
func (c *Consumer) SetRetries(first time.Duration, most uint64, atLeast time.Duration) {
	c.firstDelay, c.mostTries, c.refusalTime = first, most, atLeast
}

// SetAckWait has JetStream wait so long for an instance of which it hears nothing.
func (c *Consumer) SetAckWait(wait time.Duration) { c.ackWait = wait }

// SetEndPatience gives work that has begun so long when it is to end.
func (c *Consumer) SetEndPatience(patience time.Duration) { c.endPatience = patience }

// SetEndPatience gives work that has begun so long when it is to end.
func (r *Relay) SetEndPatience(patience time.Duration) { r.endPatience = patience }

// Outlive is outlive.
var Outlive = outlive

// Claim claims rows as a relay does.
func Claim(ctx context.Context, tx mysqlx.Writer, ids []uint64) (int, error) {
	claimed, err := claim(ctx, tx, ids)
	return len(claimed), err
}

// What is kept for how long.
const (
	OutboxTime = outboxTime
	InboxTime  = inboxTime
)

// How much of the outbox is looked at.
const (
	LookAhead  = lookAhead
	LookBeyond = lookBeyond
)
