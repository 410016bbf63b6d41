package chaos

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// How much is done: the small share, for `go test`, unless the environment says more, as `make chaos` does.
const (
	variableRounds  = "OMS_CHAOS_ROUNDS"  // of each fault; unset: the quick faults, once each
	variableRate    = "OMS_CHAOS_RATE"    // writes each second
	variablePairs   = "OMS_CHAOS_PAIRS"   // of a write and a read
	variableAnswers = "OMS_CHAOS_ANSWERS" // POSTs whose answers are cut
	variableKills   = "OMS_CHAOS_KILLS"   // of each part that events go through
)

// share is the number in an environment variable, or the small one.
func share(t *testing.T, variable string, small int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return small
	}
	number, err := strconv.Atoi(text)
	require.NoError(t, err, variable)
	require.Positive(t, number, variable)
	return number
}

// whole tells whether all faults are asked for.
func whole() bool { return os.Getenv(variableRounds) != "" }
