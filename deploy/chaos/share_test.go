package chaos

import (
	"os"
	"strconv"
	"testing"
	"time"

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

// outage is how long something is broken before it is repaired: in the whole suite longer than all short timeouts.
func outage() time.Duration {
	if whole() {
		return 3 * time.Second
	}
	return time.Second
}

// crew is how many members order at once: more than are needed for the rate, since some of them wait for what is broken.
func crew() int {
	if whole() {
		return 64
	}
	return 24
}

// leastWrites is how many writes must have succeeded in that time. A busy machine may be slower than the load that is offered.
func leastWrites() int {
	if whole() {
		return 10
	}
	return 1
}

// leastCalm is for how long no request may fail before the system counts as recovered, and before it is broken.
func leastCalm() time.Duration {
	if whole() {
		return time.Second
	}
	return 500 * time.Millisecond
}
