package mysqlx

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOfASeriesOfFailuresOneIsLoggedWithTheNumberOfThoseLeftOut(t *testing.T) {
	t.Parallel()
	var failures series
	lines, leftOut := 0, 0
	for i := range 2001 {
		if count, due := failures.due(moment.Add(time.Duration(i) * seriesInterval / 1000)); due {
			lines, leftOut = lines+1, leftOut+count
		}
	}
	require.Equal(t, []int{3, 1998}, []int{lines, leftOut})
}
