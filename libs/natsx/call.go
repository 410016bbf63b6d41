package natsx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
	"oms.internal/libs/requestid"
)

// Call sends a request and waits for its reply until ctx ends; ctx must have a deadline. The error is a fault: the one
// that the other side reported, Unavailable where nobody listens or the connection is down, or Timeout.
func Call[Reply any](ctx context.Context, conn *nats.Conn, subject string, request any) (Reply, error) {
	var reply Reply
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return reply, fault.NewInternal(fmt.Errorf("call %s: context without a deadline", subject))
	}
	body, err := json.Marshal(request)
	if err != nil {
		return reply, fmt.Errorf("call %s: %w", subject, err)
	}
	message := newMessage(ctx, subject, body)
	message.Header.Set(headerTimeout, strconv.FormatInt(time.Until(deadline).Milliseconds(), 10))
	answer, err := within(ctx, func() (*nats.Msg, error) { return conn.RequestMsgWithContext(ctx, message) })
	if err != nil {
		return reply, failedCall(subject, err)
	}
	if code := answer.Header.Get(micro.ErrorCodeHeader); code != "" {
		return reply, remoteFault(subject, code, answer)
	}
	if err := json.Unmarshal(answer.Data, &reply); err != nil {
		return reply, fmt.Errorf("call %s: reply: %w", subject, err)
	}
	return reply, nil
}

// Publish sends a message that nobody answers, and waits until ctx ends at the longest; ctx must have a deadline. That it
// succeeds does not mean that anybody heard it.
func Publish(ctx context.Context, conn *nats.Conn, subject string, content any) error {
	body, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("publish %s: %w", subject, err)
	}
	message := newMessage(ctx, subject, body)
	if _, err := within(ctx, func() (struct{}, error) { return struct{}{}, conn.PublishMsg(message) }); err != nil {
		return failedCall(subject, err)
	}
	return nil
}

func newMessage(ctx context.Context, subject string, body []byte) *nats.Msg {
	message := nats.NewMsg(subject)
	message.Data = body
	if id := requestid.From(ctx); id != "" {
		message.Header.Set(requestid.Header, id)
	}
	if client := fairshare.Client(ctx); client != 0 {
		message.Header.Set(headerClient, strconv.FormatUint(client, 10))
	}
	return message
}

// within gives up waiting when ctx ends. nats.go itself does not always: while it connects again to a server that hangs it
// holds the lock that every request needs, for as long as connectTimeout.
func within[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := work()
		done <- outcome{value, err}
	}()
	select {
	case result := <-done:
		return result.value, result.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func failedCall(subject string, err error) error {
	cause := fmt.Errorf("call %s: %w", subject, err)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, nats.ErrTimeout) {
		return fault.NewTimeout(cause)
	}
	return fault.NewUnavailable(cause)
}

// remoteFault rebuilds the fault that the other side reported. Its cause stayed in the other process's log.
func remoteFault(subject, code string, answer *nats.Msg) error {
	cause := fmt.Errorf("call %s: the other side reported %s", subject, code)
	failure := fault.New(fault.Code(code), answer.Header.Get(micro.ErrorHeader), cause)
	failure.RetryAfter = parseRetryAfter(answer.Header.Get(headerRetryAfter))
	if len(answer.Data) > 0 {
		if err := json.Unmarshal(answer.Data, &failure.Fields); err != nil {
			return fault.NewInternal(errors.Join(cause, err))
		}
	}
	return failure
}
