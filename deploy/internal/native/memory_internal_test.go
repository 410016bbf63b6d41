package native

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBufferPoolIsAShareOfTheMemoryUnlessItIsChosen(t *testing.T) {
	t.Parallel()
	size, err := bufferPool("")
	require.NoError(t, err)
	megabytes, err := strconv.Atoi(strings.TrimSuffix(size, "M"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, megabytes, leastPoolMB)
	if runtime.GOOS == "linux" {
		require.Positive(t, memoryMB())
		require.LessOrEqual(t, megabytes, max(leastPoolMB, memoryMB()/shareOfPool))
	}
	size, err = bufferPool("200")
	require.NoError(t, err)
	require.Equal(t, "200M", size)
	for _, wrong := range []string{"127", "-1", "1G", "x", "99999999999"} {
		_, err := bufferPool(wrong)
		require.ErrorContains(t, err, "BUFFER_POOL_MB", wrong)
	}
}
