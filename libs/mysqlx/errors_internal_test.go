package mysqlx

import (
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

func TestWhatAServerCannotDoForNowIsUnavailableAndMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	for _, number := range append([]uint16{1040, 1053, 1135, 1203, 1205, 1213, 1226, 1290, 1836, 1874, 1881, 3032}, full...) {
		answered := fault.Of(asFault(t.Context(), fmt.Errorf("insert order: %w", &mysql.MySQLError{Number: number})))
		require.Equal(t, fault.Unavailable, answered.Code, number)
		require.Positive(t, answered.RetryAfter, number)
	}
}

func TestACommitThatFailsWhileItIsWrittenHasAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, number := range append([]uint16{1053, 1180, 1317, 1927}, full...) {
		require.True(t, fault.Is(outcome(&mysql.MySQLError{Number: number}), fault.OutcomeUnknown), number)
	}
	for _, number := range []uint16{deadlock, readOnlyOption} {
		require.False(t, fault.Is(outcome(&mysql.MySQLError{Number: number}), fault.OutcomeUnknown), number)
	}
}
