package backup

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALongCommandSaysEveryFewSecondsHowFarItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		done := &progress{}
		stop := done.show(&said, "loading", 2_000_000)
		<-time.After(progressPause - 1) // of the bubble's clock
		require.Empty(t, said.String())
		done.bytes.Store(1_234_567_890)
		done.rows.Store(1_500_000)
		<-time.After(progressPause)
		stop()
		require.Equal(t, "loading: 1.2 GB, 1500000 of 2000000 rows so far\n", said.String())
		<-time.After(progressPause)
		require.Equal(t, "loading: 1.2 GB, 1500000 of 2000000 rows so far\n", said.String())
	})
}
