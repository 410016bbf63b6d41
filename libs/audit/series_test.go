package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/audit"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func refused(address string, at time.Time) audit.Event {
	return audit.Event{At: at, Action: audit.Login, Outcome: audit.Failure, Address: address, Detail: "too early", Count: 1}
}

func counts(events []audit.Event) (sum int) {
	for _, event := range events {
		sum += event.Count
	}
	return sum
}

func TestTheFirstOfASeriesIsDueAtOnceAndTheRestWithACount(t *testing.T) {
	t.Parallel()
	series := audit.NewSeries()
	series.Add(refused("192.0.2.1", noon))
	require.Equal(t, []audit.Event{refused("192.0.2.1", noon)}, series.Due(noon, false))
	for i := range 100 {
		series.Add(refused("192.0.2.1", noon.Add(time.Duration(i+1)*time.Second)))
	}
	require.Empty(t, series.Due(noon.Add(audit.Interval-1), false))
	want := refused("192.0.2.1", noon.Add(time.Second))
	want.Count = 100
	require.Equal(t, []audit.Event{want}, series.Due(noon.Add(audit.Interval), false))
	require.Empty(t, series.Due(noon.Add(3*audit.Interval), false), "it has ended")
	series.Add(refused("192.0.2.1", noon.Add(3*audit.Interval)))
	require.Len(t, series.Due(noon.Add(3*audit.Interval), false), 1, "a new one")
}

func TestWhatDiffersIsAnotherSeriesAndTheLastIsDueAtTheEnd(t *testing.T) {
	t.Parallel()
	series := audit.NewSeries()
	for _, address := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"} {
		series.Add(refused(address, noon))
	}
	events := series.Due(noon, false)
	require.Len(t, events, 2)
	require.Equal(t, 3, counts(events))
	series.Add(refused("192.0.2.1", noon))
	require.Equal(t, 1, counts(series.Due(noon, true)))
}

func TestWhatCouldNotBeWrittenIsDueAgain(t *testing.T) {
	t.Parallel()
	series := audit.NewSeries()
	for range 3 {
		series.Add(refused("192.0.2.1", noon))
	}
	for _, event := range series.Due(noon, false) {
		series.Add(event)
	}
	require.Equal(t, 3, counts(series.Due(noon.Add(audit.Interval), false)))
}

func TestAFloodOfSeriesTakesBoundedMemoryAndLosesNoCount(t *testing.T) {
	t.Parallel()
	series := audit.NewSeries()
	const flood = 100_000
	for i := range flood {
		series.Add(refused(fmt.Sprint(i), noon))
	}
	events := series.Due(noon, false)
	require.LessOrEqual(t, len(events), 4097)
	require.Equal(t, flood, counts(events))
}
