package listing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
)

func TestEveryCommonFormOfATimeIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-11-29":                      "2026-11-28T15:00:00Z",
		"20261129":                        "2026-11-28T15:00:00Z",
		"2026-11-29T14":                   "2026-11-29T05:00:00Z",
		"2026-11-29T14:03":                "2026-11-29T05:03:00Z",
		"2026-11-29 14:03":                "2026-11-29T05:03:00Z",
		"2026-11-29t14:03:07":             "2026-11-29T05:03:07Z",
		"2026-11-29T14:03Z":               "2026-11-29T14:03:00Z",
		"2026-11-29T14:03z":               "2026-11-29T14:03:00Z",
		"2026-11-29T14Z":                  "2026-11-29T14:00:00Z",
		"2026-11-29T14:03:07.5Z":          "2026-11-29T14:03:07.5Z",
		"2026-11-29T14:03:07,123456Z":     "2026-11-29T14:03:07.123456Z",
		"2026-11-29T14:03:07.1234561Z":    "2026-11-29T14:03:07.123457Z",
		"2026-11-29T14:03:07.123456000Z":  "2026-11-29T14:03:07.123456Z",
		"2026-11-29T14:03:07.0000000001Z": "2026-11-29T14:03:07.000001Z",
		"2026-11-29T14:03+09:00":          "2026-11-29T05:03:00Z",
		"2026-11-29T14:03+0900":           "2026-11-29T05:03:00Z",
		"2026-11-29T14:03+09":             "2026-11-29T05:03:00Z",
		"2026-11-29T14:03-03:30":          "2026-11-29T17:33:00Z",
		"2026-11-29T14:03:07 09:00":       "2026-11-29T05:03:07Z", // a plus that was not escaped
		"2026-11-29 14:03 0900":           "2026-11-29T05:03:00Z",
		"20261129T140307Z":                "2026-11-29T14:03:07Z",
		"20261129T1403+0900":              "2026-11-29T05:03:00Z",
		"2026-11-29T23:59:60Z":            "2026-11-30T00:00:00Z", // RFC 3339's leap second
		"2024-02-29T00:00:00-00:00":       "2024-02-29T00:00:00Z",
		"1000-01-03":                      "1000-01-02T15:00:00Z",
		"9999-12-31":                      "9999-12-30T15:00:00Z",
		"9999-12-31T23:59:59.999999Z":     "9999-12-31T23:59:59.999999Z",
	} {
		at, err := listing.ParseTime(text, seoul)
		require.NoError(t, err, text)
		require.Equal(t, want, at.Format(time.RFC3339Nano), text)
	}
}

func TestATimeBeyondWhatAColumnHoldsIsTheNearestThatItDoes(t *testing.T) {
	t.Parallel()
	const first, last = "1000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
	for text, want := range map[string]string{
		"0001-01-01": first, "0999-12-31": first, "1000-01-01": first, "1000-01-01T00:00Z": first, "1000-01-01T08:59:59.9999999": first,
		"9999-12-31T23:59:59.9999991Z": last, "9999-12-31T23:59:60Z": last, "9999-12-31T23:00-01:00": last, "9999-12-31T01:00-23:00": last,
	} {
		at, err := listing.ParseTime(text, seoul)
		require.NoError(t, err, text)
		require.Equal(t, want, at.Format(time.RFC3339Nano), text)
	}
}

func TestWhatIsNoTimeIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "today", "2026", "2026-11", "2026-1-2", "2026-13-01", "2026-00-01", "2026-02-29", "2026-11-31", "2026-1129",
		"202611-29", "2026-11-29T", "2026-11-29T24:00", "2026-11-29T14:60", "2026-11-29T14:03:61", "2026-11-29T14:03:07.",
		"2026-11-29T14:03+24:00", "2026-11-29T14:03+09:60", "2026-11-29T14:03+9", "2026-11-29Z", "2026-11-29T14:03ZZ",
		"29.11.2026", "1764424980", "0000-01-01", "0000-12-31T23:00-05:00", "9999-12-32", "12026-11-29", "２026-11-29",
	} {
		at, err := listing.ParseTime(text, seoul)
		require.Error(t, err, text)
		require.Zero(t, at, text)
	}
}

func FuzzATimeIsOneThatAColumnCanHold(f *testing.F) {
	for _, seed := range []string{
		"2026-11-23T21:00:00.123456+09:00", "2026-11-23T21:00:00 09:00", "2026-11-23", "20261123T2100Z", "0000-01-01", "9999-12-31T23:59:59Z", "x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := listing.ParseTime(text, seoul)
		if err != nil {
			require.Zero(t, at)
			return
		}
		require.Equal(t, time.UTC, at.Location())
		require.True(t, at.Year() >= 1000 && at.Year() <= 9999)
		require.Zero(t, at.Nanosecond()%1000)
	})
}
