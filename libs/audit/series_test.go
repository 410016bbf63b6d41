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

func TestWhatCouldNotBeWrittenIsDueAtOnce(t *testing.T) {
	t.Parallel()
	series := audit.NewSeries()
	for range 3 {
		series.Add(refused("192.0.2.1", noon))
	}
	series.Return(series.Due(noon, false))
	series.Add(refused("192.0.2.1", noon))
	require.Equal(t, 4, counts(series.Due(noon.Add(time.Second), false)))
	require.Empty(t, series.Due(noon.Add(time.Minute), false))
}

func TestAFloodOfSeriesTakesBoundedMemoryAndLosesNoCount(t *testing.T) {
	t.Parallel()
	const flood, most = 20_000, 4097
	for name, of := range map[string]func(i int) audit.Event{
		"networks": func(i int) audit.Event { return refused(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), noon) },
		"members":  func(i int) audit.Event { return audit.Event{Outcome: audit.Failure, Actor: uint64(i + 1), Count: 1} },
		"looks": func(i int) audit.Event {
			return audit.Event{Outcome: audit.Success, Actor: 1, Subject: uint64(i + 2), Count: 1}
		},
	} {
		series := audit.NewSeries()
		for i := range flood {
			series.Add(of(i))
		}
		events := series.Due(noon, false)
		require.LessOrEqual(t, len(events), most, name)
		require.Equal(t, flood, counts(events), name)
	}
}

func TestOneCallerThatIsRefusedInManyWaysIsAFewSeriesThatNameIt(t *testing.T) {
	t.Parallel()
	const flood, most = 10_000, 9
	household := func(i int) string { return fmt.Sprintf("2001:db8:0:%x::%x", i%256, i+1) }
	for name, test := range map[string]struct {
		of    func(i int) audit.Event
		names func(audit.Event) bool
	}{
		"addresses of a household": {
			func(i int) audit.Event { return refused(household(i), noon) },
			func(event audit.Event) bool { return event.Address != "" },
		},
		"members whom a member would change": {
			func(i int) audit.Event {
				return audit.Event{Outcome: audit.Failure, Actor: 7, Subject: uint64(i + 1), Count: 1}
			},
			func(event audit.Event) bool { return event.Actor == 7 },
		},
	} {
		series := audit.NewSeries()
		for i := range flood {
			series.Add(test.of(i))
		}
		events := series.Due(noon, false)
		require.Len(t, events, most, name)
		require.Equal(t, flood, counts(events), name)
		for _, event := range events {
			require.True(t, test.names(event), "%s: %+v", name, event)
		}
	}
}

// change is what a member changes of itself.
func change(member uint64, detail string, at time.Time) audit.Event {
	return audit.Event{At: at, Action: audit.MemberUpdate, Outcome: audit.Success, Actor: member, Subject: member, Detail: detail, Count: 1}
}

func TestTheFirstChangeOfASeriesIsLeftToTheCallerAndTheRestAreCounted(t *testing.T) {
	t.Parallel()
	series := audit.NewSeries()
	require.False(t, series.Continues(change(7, "phone", noon)))
	require.False(t, series.Continues(change(7, "phone", noon)), "to ask begins nothing")
	series.Begin(change(7, "phone", noon))
	require.Empty(t, series.Due(noon, false), "it was written")
	require.False(t, series.Continues(change(8, "phone", noon)))
	require.False(t, series.Continues(change(7, "name", noon)))
	for i := range 100 {
		next := change(7, "phone", noon.Add(time.Duration(i+1)*time.Second))
		require.True(t, series.Continues(next))
		series.Add(next)
	}
	want := change(7, "phone", noon.Add(time.Second))
	want.Count = 100
	events := series.Due(noon.Add(audit.Interval), false)
	require.Equal(t, []audit.Event{want}, events)
	series.Return(events)
	require.True(t, series.Continues(change(7, "phone", noon.Add(3*audit.Interval))), "it waits to be written")
	require.Equal(t, events, series.Due(noon.Add(3*audit.Interval), false))
	require.False(t, series.Continues(change(7, "phone", noon.Add(4*audit.Interval))), "it has ended")
}

func TestAMemberThatChangesItselfInManyWaysIsAFewSeriesAndOneWithoutAPlaceIsNotCounted(t *testing.T) {
	t.Parallel()
	const ways, most, members = 1000, 9, 5000
	series := audit.NewSeries()
	written := 0
	do := func(event audit.Event) {
		if series.Continues(event) {
			series.Add(event)
			return
		}
		written++
		series.Begin(event)
	}
	for i := range ways {
		do(change(7, fmt.Sprint("way ", i), noon))
	}
	require.Equal(t, most, written)
	rest := series.Due(noon, true)
	require.Equal(t, []audit.Event{{
		At: noon, Action: audit.MemberUpdate, Outcome: audit.Success, Actor: 7, Subject: 7, Detail: audit.OfManyKinds, Count: ways - most,
	}}, rest)

	written = 0
	for range 2 {
		for member := range uint64(members) {
			do(change(member+1, "way 0", noon))
		}
	}
	require.Greater(t, written, members, "whoever finds no place")
	events := series.Due(noon, true)
	require.Equal(t, 2*members, written+counts(events))
	for _, event := range events {
		require.NotZero(t, event.Actor)
	}
}

func TestManyCallersTogetherHideNobodyWhoIsRefusedAndEachIsAFewSeriesAnInterval(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(caller, way int) audit.Event{
		"accounts": func(caller, way int) audit.Event {
			return audit.Event{Action: audit.AccessDenied, Outcome: audit.Failure, Actor: uint64(caller + 1), Subject: uint64(way + 1), Count: 1}
		},
		"networks": func(caller, way int) audit.Event {
			return refused(fmt.Sprintf("2001:db8:0:%x::%x", caller<<8, way+1), noon)
		},
	} {
		series := audit.NewSeries()
		const callers, ways, most = 200, 20, 9
		rows, sum := 0, 0
		for second := range 10 {
			now := noon.Add(time.Duration(second) * time.Second)
			for caller := range callers {
				for way := range ways {
					series.Add(of(caller, second*ways+way))
				}
			}
			other := of(callers+second, 0)
			series.Add(other)
			events := series.Due(now, false)
			require.Contains(t, events, other, name)
			rows, sum = rows+len(events), sum+counts(events)
		}
		rest := series.Due(noon.Add(audit.Interval-1), true)
		require.Equal(t, 10*(callers*ways+1), sum+counts(rest), name)
		require.LessOrEqual(t, rows, most*callers+10, name)
		require.LessOrEqual(t, len(rest), callers, "%s: what is left is the rest of each", name)
	}
}

func TestNoFloodHidesWhomAnAdminLookedAtOrWhoWasRefusedElsewhere(t *testing.T) {
	t.Parallel()
	series := audit.NewSeries()
	for i := range 10_000 {
		series.Add(refused(fmt.Sprintf("10.0.%d.%d", i>>8, i&255), noon))
		series.Add(audit.Event{Outcome: audit.Failure, Actor: 7, Subject: uint64(i + 1), Count: 1})
	}
	look := func(subject uint64) audit.Event {
		return audit.Event{Action: audit.MemberRead, Outcome: audit.Success, Actor: 1, Subject: subject, Count: 1}
	}
	denied := audit.Event{Action: audit.AccessDenied, Outcome: audit.Failure, Actor: 8, Subject: 1, Count: 1}
	series.Add(denied)
	require.Contains(t, series.Due(noon, false), denied)
	for second := range uint64(10) {
		whom := map[uint64]bool{}
		for i := range uint64(1000) {
			series.Add(look(1000*second + i))
		}
		for _, event := range series.Due(noon, false) {
			require.Equal(t, look(event.Subject), event)
			whom[event.Subject] = true
		}
		require.Len(t, whom, 1000, "more than are kept, in all")
	}
}
