package listsql

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// first has five requests begin to learn the same number at once, the first of which ends as it is told. It returns how many counted at the
// same time at most, how many counted for all, how many for themselves, and how many were told the number.
func first(t *testing.T, outcome func(counts *Counts, few func(bool))) (atOnce, learned, alone, told int) {
	t.Helper()
	counts := NewCounts(&Table{}, func() uint64 { return 1 }, time.Now)
	var mutex sync.Mutex
	var all sync.WaitGroup
	counting := 0
	for range 5 {
		all.Go(func() {
			known, learns, end, err := counts.begin(t.Context(), scope{})
			require.NoError(t, err)
			mutex.Lock()
			counting++
			switch {
			case known != nil:
				told++
				counting--
			case learns:
				learned++
			default:
				alone++
			}
			atOnce = max(atOnce, counting)
			mutex.Unlock()
			if known != nil {
				return
			}
			<-time.After(time.Second) // of the bubble: all others wait by then
			mutex.Lock()
			counting--
			mutex.Unlock()
			if learns {
				outcome(counts, end)
			}
		})
	}
	all.Wait()
	return atOnce, learned, alone, told
}

func TestAmongManyWhoNeedANumberOneCountsForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		atOnce, learned, alone, told := first(t, func(counts *Counts, end func(bool)) {
			counts.known.Set(scope{}, &known{counted: time.Now()})
			end(false)
		})
		require.Equal(t, []int{1, 1, 0, 4}, []int{atOnce, learned, alone, told})
	})
}

func TestWhereCountingFailsTheOthersTryOneAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		atOnce, learned, alone, told := first(t, func(_ *Counts, end func(bool)) { end(false) })
		require.Equal(t, []int{1, 5, 0, 0}, []int{atOnce, learned, alone, told})
	})
}

func TestFewRowsAreCountedByEachAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		atOnce, learned, alone, told := first(t, func(_ *Counts, end func(bool)) { end(true) })
		require.Equal(t, []int{4, 1, 4, 0}, []int{atOnce, learned, alone, told})
	})
}
