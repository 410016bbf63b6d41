package natsx_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
	"oms.internal/libs/requestid"
	"oms.internal/servers/testservers"
)

func TestARequestItsIdentifierItsClientAndItsReplyCrossTheWire(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	serve(t, server, func(ctx context.Context, asked question) (reply, error) {
		return reply{Text: fmt.Sprint(asked.Text, " ", requestid.From(ctx), " ", fairshare.Client(ctx))}, nil
	})
	caller := connect(t, server, "caller")
	ctx, cancel := context.WithTimeout(fairshare.Into(requestid.Into(t.Context(), "r-1"), 7), patient)
	defer cancel()
	answered, err := natsx.Call[reply](ctx, caller, subject, question{"꼬막무침 🍤"})
	require.NoError(t, err)
	require.Equal(t, reply{"꼬막무침 🍤 r-1 7"}, answered)

	answered, err = ask(t, caller, "without")
	require.NoError(t, err)
	require.Equal(t, reply{"without  0"}, answered)
}

func TestFaultsCrossTheWireWithEverythingThatIsMeantForTheClient(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	unavailable := fault.NewUnavailable(errSecret)
	unavailable.RetryAfter = 1500 * time.Millisecond
	faults := map[string]*fault.Error{
		"not found":       fault.NewNotFound(),
		"forbidden":       fault.NewForbidden(),
		"invalid":         fault.NewInvalid(map[string][]string{"email": {"이메일.", "No."}, "phone": {"No."}}),
		"internal":        fault.NewInternal(errSecret),
		"timeout":         fault.NewTimeout(errSecret),
		"unknown outcome": fault.New(fault.OutcomeUnknown, "Look before you repeat it.", errSecret),
		"unavailable":     unavailable,
	}
	serve(t, server, func(_ context.Context, asked question) (reply, error) {
		return reply{}, fmt.Errorf("wrapped: %w", faults[asked.Text])
	})
	caller := connect(t, server, "caller")
	for name, sent := range faults {
		answered, err := ask(t, caller, name)
		require.Zero(t, answered, name)
		received := fault.Of(err)
		require.Equal(t, sent.Code, received.Code, name)
		require.Equal(t, sent.Detail, received.Detail, name)
		require.Equal(t, sent.Fields, received.Fields, name)
		require.Equal(t, sent.RetryAfter, received.RetryAfter, name)
		require.NotContains(t, err.Error(), "hunter2", name)
	}
}

var errSecret = errors.New("password hunter2 refused")

func TestWhatIsNoFaultArrivesAsInternalAndSaysNothing(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	serve(t, server, func(_ context.Context, asked question) (reply, error) {
		if asked.Text == "panic" {
			panic(errSecret)
		}
		return reply{}, errSecret
	})
	caller := connect(t, server, "caller")
	for _, text := range []string{"error", "panic", "panic"} {
		_, err := ask(t, caller, text)
		require.True(t, fault.Is(err, fault.Internal), "%s: %v", text, err)
		require.NotContains(t, err.Error(), "hunter2", text)
	}
}

func TestWhatCannotBeReadIsMalformedInARequestAndInternalInAReply(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	serve(t, server, echo)
	caller := connect(t, server, "caller")
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	_, err := natsx.Call[reply](ctx, caller, subject, "not an object")
	require.Equal(t, fault.Malformed, fault.Of(err).Code)
	_, err = natsx.Call[[]int](ctx, caller, subject, question{"x"})
	require.Equal(t, fault.Internal, fault.Of(err).Code)
}

func TestACallNobodyListensToFailsAtOnce(t *testing.T) {
	t.Parallel()
	caller := connect(t, testservers.NewNATS(t, ""), "caller")
	_, err := ask(t, caller, "x")
	require.True(t, fault.Is(err, fault.Unavailable), "it did not wait for its deadline: %v", err)
}

func TestACallMustHaveADeadline(t *testing.T) {
	t.Parallel()
	_, err := natsx.Call[reply](context.Background(), nil, subject, question{})
	require.True(t, fault.Is(err, fault.Internal), err)
}

func TestTheDeadlineEndsTheCallAndTheWorkForIt(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	begun, ended := make(chan struct{}, 100), make(chan error, 100)
	serve(t, server, func(ctx context.Context, _ question) (reply, error) {
		begun <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return reply{}, ctx.Err()
	})
	caller := connect(t, server, "caller")
	// A call whose time is up before it arrives causes no work, so it gets more time until it arrives.
	for timeout := 50 * time.Millisecond; len(begun) == 0; timeout *= 2 {
		_, err := askWithin(t, caller, "x", timeout)
		require.True(t, fault.Is(err, fault.Timeout), err)
	}
	require.ErrorIs(t, <-ended, context.DeadlineExceeded)
}

func TestNoCallerMakesAHandlerWorkForLongerThanFiveSeconds(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	serve(t, server, func(ctx context.Context, _ question) (reply, error) {
		deadline, _ := ctx.Deadline()
		return reply{time.Until(deadline).String()}, nil
	})
	answered, err := ask(t, connect(t, server, "caller"), "x")
	require.NoError(t, err)
	left, err := time.ParseDuration(answered.Text)
	require.NoError(t, err)
	require.LessOrEqual(t, left, 5*time.Second)
}

func TestACallThatIsGivenUpEndsAtOnce(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	begun := make(chan struct{})
	serve(t, server, func(ctx context.Context, _ question) (reply, error) {
		close(begun)
		<-ctx.Done()
		return reply{}, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	go func() {
		<-begun
		cancel()
	}()
	_, err := natsx.Call[reply](ctx, connect(t, server, "caller"), subject, question{})
	require.True(t, fault.Is(err, fault.Timeout), err)
}
