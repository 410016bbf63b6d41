package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheTimeOfAProcessIsReadWhateverItsNameIs(t *testing.T) {
	t.Parallel()
	got, err := parseStat("42 (a (b) 7 c) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 9 0 100 200 300\n")
	require.NoError(t, err)
	require.Equal(t, 2*time.Second, got)
	_, err = parseStat("42 (sh) S 1")
	require.Error(t, err)
}

func TestSizesOfMemoryAreReadInMiB(t *testing.T) {
	t.Parallel()
	const status = "Name:\torders\nVmPeak:\t 1230000 kB\nVmHWM:\t   65536 kB\nVmRSS:\t   25600 kB\n"
	for field, want := range map[string]float64{"VmHWM": 64, "VmRSS": 25} {
		got, err := parseStatus(status, field)
		require.NoError(t, err)
		require.InDelta(t, want, got, 1e-9)
	}
	_, err := parseStatus(status, "VmSwap")
	require.Error(t, err)
}

func TestTheResultsOfAPartOfTheRowsAreNotKeptInTheTree(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"deploy/bench": {"-data", "/d"}, "/d/results": {"-data", "/d", "-quick"}, "deploy/bench/growth": {"-growth"}, "elsewhere": {"-only", "x", "-results", "elsewhere"},
	} {
		o, err := parse(args)
		require.NoError(t, err)
		require.Equal(t, want, o.results)
	}
}
