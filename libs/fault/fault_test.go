package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

var errDisk = errors.New("disk full on db-7")

func TestConstructorsSayTheSameToEveryClient(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault  *fault.Error
		code   fault.Code
		detail string
	}{
		{fault.NewInvalid(nil), fault.Invalid, "Invalid input."},
		{fault.NewNotFound(), fault.NotFound, "Not found."},
		{fault.NewForbidden(), fault.Forbidden, "You do not have permission to perform this action."},
		{fault.NewUnavailable(errDisk), fault.Unavailable, "The service is temporarily unavailable. Please try again."},
		{fault.NewTimeout(errDisk), fault.Timeout, "The service did not answer in time."},
		{fault.NewInternal(errDisk), fault.Internal, "A server error occurred."},
		{fault.New(fault.Malformed, "No.", nil), fault.Malformed, "No."},
	} {
		require.Equal(t, test.code, test.fault.Code)
		require.Equal(t, test.detail, test.fault.Detail)
	}
	require.Equal(t, time.Second, fault.NewUnavailable(nil).RetryAfter)
	require.Equal(t, map[string][]string{"email": {"No."}}, fault.InvalidField("email", "No.").Fields)
}

func TestTheCauseIsInTheLogTextAndInTheChain(t *testing.T) {
	t.Parallel()
	failure := fault.NewInternal(fmt.Errorf("store order: %w", errDisk))
	require.ErrorIs(t, failure, errDisk)
	require.EqualError(t, failure, "internal: A server error occurred.: store order: disk full on db-7")
	require.NotContains(t, failure.Detail, "disk")
	require.EqualError(t, fault.NewNotFound(), "not_found: Not found.")
}

func TestOfFindsTheFaultUnderWrapping(t *testing.T) {
	t.Parallel()
	missing := fault.NewNotFound()
	require.Same(t, missing, fault.Of(fmt.Errorf("read order 7: %w", missing)))
	require.Nil(t, fault.Of(nil))
}

func TestOfMakesAnyOtherErrorInternalAndKeepsItAsTheCause(t *testing.T) {
	t.Parallel()
	failure := fault.Of(errDisk)
	require.Equal(t, fault.Internal, failure.Code)
	require.ErrorIs(t, failure, errDisk)
}

func TestIsComparesCodesAndNotTexts(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("read: %w", fault.New(fault.NotFound, "Gone.", nil))
	require.True(t, fault.Is(wrapped, fault.NotFound))
	require.False(t, fault.Is(wrapped, fault.Forbidden))
	require.False(t, fault.Is(errors.New(fault.NewNotFound().Error()), fault.NotFound))
	require.False(t, fault.Is(nil, fault.NotFound))
}

func TestWithHeaderLeavesTheFaultItCameFromAlone(t *testing.T) {
	t.Parallel()
	first := fault.NewForbidden().WithHeader("Allow", "GET")
	second := first.WithHeader("Allow", "POST").WithHeader("Vary", "Origin")
	require.Equal(t, map[string]string{"Allow": "GET"}, first.Headers)
	require.Equal(t, map[string]string{"Allow": "POST", "Vary": "Origin"}, second.Headers)
}
