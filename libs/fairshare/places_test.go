package fairshare

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

// holder is waited for since some seconds after noon, or not at all if that is 0.
type holder struct {
	Stall

	yielded bool
}

func (h *holder) Yield() { h.yielded = true }

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// at is a moment some seconds after noon.
func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func stalled(seconds int) *holder {
	h := &holder{}
	h.Begin(at(seconds))
	return h
}

// tenSeconds returns places of a time 10 s after noon.
func tenSeconds(options PlacesOptions[string]) *Places[string] {
	options.Resource, options.Now = "places", func() time.Time { return at(10) }
	return NewPlaces(options)
}

func TestWhoIsWaitedForLongestOfTheClientThatHoldsMostMakesRoom(t *testing.T) {
	t.Parallel()
	places := tenSeconds(PlacesOptions[string]{Capacity: 8})
	first, second, busy, older := stalled(4), stalled(3), &holder{}, stalled(1)
	require.NoError(t, places.Take("a", first, 1))
	require.NoError(t, places.Take("a", second, 2))
	require.NoError(t, places.Take("a", busy, 1))
	require.NoError(t, places.Take("b", older, 2))
	require.NoError(t, places.Take("c", &holder{}, 1))
	require.NoError(t, places.Take("d", &holder{}, 1))

	require.NoError(t, places.Take("e", &holder{}, 1))
	require.True(t, second.yielded, "it was waited for longer than the other of a, who holds most")
	require.False(t, first.yielded || busy.yielded || older.yielded)
	require.Equal(t, 7, places.Used())

	require.NoError(t, places.Take("f", &holder{}, 1), "one is free")
	require.NoError(t, places.Take("g", &holder{}, 1))
	require.True(t, older.yielded)
	require.Equal(t, 7, places.Used())
	require.InDelta(t, 2, gathered(t, places.Collectors())[`fairshare_pushouts_total{resource="places"}`], 0)
}

func TestNobodyMakesRoomWhoIsServedOrWasWaitedForAMomentOnly(t *testing.T) {
	t.Parallel()
	places := tenSeconds(PlacesOptions[string]{Capacity: 4})
	require.NoError(t, places.Take("a", &holder{}, 1))
	ended := stalled(1)
	ended.End()
	require.NoError(t, places.Take("a", ended, 1))
	require.NoError(t, places.Take("b", stalled(10), 1))
	require.True(t, fault.Is(places.Take("a", &holder{}, 1), fault.TooManyRequests))
	require.NoError(t, places.Take("c", stalled(10), 1))
	require.True(t, fault.Is(places.Take("d", &holder{}, 1), fault.Unavailable))
}

func TestNobodyTakesFromThoseWhoHaveLess(t *testing.T) {
	t.Parallel()
	places := tenSeconds(PlacesOptions[string]{Capacity: 6})
	small := stalled(1)
	require.NoError(t, places.Take("a", &holder{}, 3))
	require.NoError(t, places.Take("b", small, 1))
	require.Error(t, places.Take("a", &holder{}, 1))
	require.False(t, small.yielded)
	require.NoError(t, places.Take("c", &holder{}, 1))
	require.NoError(t, places.Take("d", &holder{}, 1))
	require.NoError(t, places.Take("e", &holder{}, 1), "equals take turns")
	require.True(t, small.yielded)
}

func TestAClientMakesRoomForItself(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]PlacesOptions[string]{
		"whose share is full": {Capacity: 5}, "that may have no more": {Capacity: 100, PerClient: 2},
	} {
		places := tenSeconds(options)
		old, recent, other := stalled(2), stalled(3), stalled(1)
		require.NoError(t, places.Take("b", other, 1), name)
		require.NoError(t, places.Take("a", recent, 1), name)
		require.NoError(t, places.Take("a", old, 1), name)
		require.NoError(t, places.Take("a", &holder{}, 1), name)
		require.True(t, old.yielded, name)
		require.False(t, recent.yielded || other.yielded, name)
	}
}

func TestAClientGetsNoLargerShareByPushingOutItsOwnHolders(t *testing.T) {
	t.Parallel()
	for name, units := range map[string]struct{ before, then int }{
		"by as many as it wants": {16, 16}, "by several small ones": {16, 64}, "by large ones": {64, 16}, "by uneven ones": {48, 80},
	} {
		const capacity = 8192
		places := tenSeconds(PlacesOptions[string]{Capacity: capacity})
		for places.Used()+units.before <= capacity/2 {
			require.NoError(t, places.Take("a", stalled(1), units.before), name)
		}
		var trickling []*holder // that are never waited for a second
		for range 1000 {
			one := &holder{}
			if places.Take("a", one, units.then) == nil {
				trickling = append(trickling, one)
			}
			require.LessOrEqual(t, places.Used(), (capacity+units.then)/2, name)
		}
		require.NotEmpty(t, trickling, name)
		require.NoError(t, places.Take("b", &holder{}, capacity/4), "%s: there is room for others", name)
	}
}

func TestAClientMakesRoomForItselfWhereOthersHaveTheRest(t *testing.T) {
	t.Parallel()
	places := tenSeconds(PlacesOptions[string]{Capacity: 10})
	first, second := stalled(1), stalled(2)
	require.NoError(t, places.Take("a", first, 2))
	require.NoError(t, places.Take("a", second, 2))
	require.NoError(t, places.Take("b", &holder{}, 3))
	require.NoError(t, places.Take("c", &holder{}, 1))
	require.NoError(t, places.Take("d", &holder{}, 1))
	require.NoError(t, places.Take("a", &holder{}, 2), "it has no more than before")
	require.True(t, first.yielded)
	require.False(t, second.yielded)
	require.Equal(t, 9, places.Used())
}

func TestNobodyMakesRoomInVain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options PlacesOptions[string]
		client  string
		units   int
	}{
		"for one that would have more than they":          {PlacesOptions[string]{Capacity: 8}, "c", 5},
		"for one that wants more than they have":          {PlacesOptions[string]{Capacity: 8}, "d", 4},
		"for one whose own room does not do":              {PlacesOptions[string]{Capacity: 8}, "b", 5},
		"for one that may not have as many":               {PlacesOptions[string]{Capacity: 8, PerClient: 4}, "b", 5},
		"for one that wants more than there are":          {PlacesOptions[string]{Capacity: 8}, "d", 9},
		"for one that stands for many, and wants as much": {PlacesOptions[string]{Capacity: 8, Many: func(client string) bool { return client == "d" }}, "d", 5},
	} {
		places := tenSeconds(test.options)
		waited := []*holder{stalled(1), stalled(2), stalled(3), stalled(4)}
		require.NoError(t, places.Take("a", waited[0], 1), name)
		require.NoError(t, places.Take("a", waited[1], 1), name)
		require.NoError(t, places.Take("a", &holder{}, 2), name)
		require.NoError(t, places.Take("b", waited[2], 1), name)
		require.NoError(t, places.Take("b", waited[3], 1), name)
		require.NoError(t, places.Take("c", &holder{}, 1), name)
		require.Error(t, places.Take(test.client, &holder{}, test.units), name)
		for _, one := range waited {
			require.False(t, one.yielded, name)
		}
		require.Equal(t, 7, places.Used(), name)
		require.Zero(t, gathered(t, places.Collectors())[`fairshare_pushouts_total{resource="places"}`], name)
	}
}

func TestAClientThatStandsForManyIsBoundByTheCapacityOnly(t *testing.T) {
	t.Parallel()
	places := tenSeconds(PlacesOptions[string]{Capacity: 4, PerClient: 1, Many: func(client string) bool { return client == "proxy" }})
	for range 4 {
		require.NoError(t, places.Take("proxy", &holder{}, 1))
	}
	require.True(t, fault.Is(places.Take("proxy", &holder{}, 1), fault.Unavailable))
}

func TestPlacesAreGivenBackOnce(t *testing.T) {
	t.Parallel()
	places := tenSeconds(PlacesOptions[string]{Capacity: 10})
	one, other := stalled(1), &holder{}
	require.NoError(t, places.Take("a", one, 2))
	require.NoError(t, places.Take("a", one, 2))
	places.Keep("a", one, 3)
	places.Keep("a", one, 5)
	require.Equal(t, 3, places.Used())
	require.NoError(t, places.Take("b", other, 7))
	require.NoError(t, places.Take("c", &holder{}, 1))
	require.True(t, one.yielded)
	places.Keep("a", one, 0)
	places.Keep("b", other, 0)
	places.Keep("b", other, 0)
	require.Equal(t, 1, places.Used())
	require.Len(t, places.tenants, 1, "a client that holds nothing is forgotten")
}
