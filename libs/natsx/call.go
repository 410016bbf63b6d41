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
	message := nats.NewMsg(subject)
	message.Data = body
	message.Header.Set(headerTimeout, strconv.FormatInt(time.Until(deadline).Milliseconds(), 10))
	if id := requestid.From(ctx); id != "" {
		message.Header.Set(requestid.Header, id)
	}
	answer, err := conn.RequestMsgWithContext(ctx, message)
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
