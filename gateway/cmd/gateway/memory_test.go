package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

// The memory of the process (README.md), and what the kernel keeps of a connection that is not read
// (TestTheKernelKeepsLittleOfAConnectionThatIsNotRead), which counts for the container and the unit as well.
const (
	processMiB     = 64
	keptKiB        = 160
	containers     = "../../../deploy/compose.yaml"
	unit           = "../../../deploy/systemd/oms-gateway@.service"
	containerLimit = `(?s)\n  gateway:\n.*?\n    mem_limit: (\d+)m\n`
	unitLimit      = `\nMemoryMax=(\d+)M\n`
)

func TestTheMemoryHasRoomForAllConnectionsThatAreNotRead(t *testing.T) {
	t.Parallel()
	needed := processMiB + (httpx.MaxConnections*keptKiB)>>10
	for file, limit := range map[string]string{containers: containerLimit, unit: unitLimit} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		found := regexp.MustCompile(limit).FindSubmatch(content)
		require.NotNil(t, found, file)
		limited, err := strconv.Atoi(string(found[1]))
		require.NoError(t, err)
		require.GreaterOrEqual(t, limited, needed, "%s, in MiB", file)
	}
}
