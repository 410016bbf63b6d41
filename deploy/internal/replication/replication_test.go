package replication

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheVerdictIsGoodOnlyIfAllIsEqualAndReplicationRuns(t *testing.T) {
	good := func() []state {
		return []state{
			{role: "primary", position: "0-1-7", members: 4, orders: 8},
			{role: "replica", position: "0-1-7", members: 4, orders: 8, replicating: true},
		}
	}
	require.True(t, judge(good()).good())
	for name, spoil := range map[string]func(primary, replica *state){
		"position":      func(_, replica *state) { replica.position = "0-1-6" },
		"members":       func(_, replica *state) { replica.members-- },
		"orders":        func(primary, _ *state) { primary.orders++ },
		"not running":   func(_, replica *state) { replica.replicating = false },
		"two primaries": func(_, replica *state) { replica.role = "primary" },
		"two replicas":  func(primary, _ *state) { primary.role = "replica" },
		"replica down":  func(_, replica *state) { *replica = state{role: "down"} },
		"primary down":  func(primary, _ *state) { *primary = state{role: "down"} },
	} {
		states := good()
		spoil(&states[0], &states[1])
		require.False(t, judge(states).good(), name)
	}
}

func TestAfterAFailoverTheOtherServerIsThePrimary(t *testing.T) {
	states := []state{
		{role: "replica", position: "0-2-9", replicating: true},
		{role: "primary", position: "0-2-9", problem: "of no concern", fallenBack: true},
	}
	result := judge(states)
	require.True(t, result.good())
	require.True(t, result.fallenBack)
	var out strings.Builder
	require.NoError(t, write(&out, states, result))
	require.Contains(t, out.String(), "WARNING: replication has fallen back to asynchronous")
}

func TestSemiSynchronousReplicationIsReadByTheNamesOfBothEngines(t *testing.T) {
	for _, word := range []string{"source", "master"} {
		var one state
		one.readSource(map[string]string{"Rpl_semi_sync_" + word + "_status": "ON", "Rpl_semi_sync_" + word + "_clients": "1"})
		require.False(t, one.fallenBack)
		require.Equal(t, "on, replicas that acknowledge: 1", one.semiSync)
		one.readSource(map[string]string{"Rpl_semi_sync_" + word + "_status": "OFF", "Rpl_semi_sync_" + word + "_clients": "1"})
		require.True(t, one.fallenBack, "it has not caught up yet")
		one.readSource(map[string]string{"Rpl_semi_sync_" + word + "_status": "ON", "Rpl_semi_sync_" + word + "_clients": "0"})
		require.True(t, one.fallenBack)
	}
}

func TestTheTableNamesWhatIsWrong(t *testing.T) {
	states := []state{
		{server: "primary", role: "primary", position: "0-1-7", lag: "-"},
		{server: "replica", role: "replica", position: "0-1-6", lag: "9 s", replicating: true},
	}
	var out strings.Builder
	require.NoError(t, write(&out, states, judge(states)))
	require.Contains(t, out.String(), "positions DIFFER, counts equal, replication runs")
}

func TestEnginesAreNamedWithTheirVersion(t *testing.T) {
	require.Equal(t, "MariaDB 10.11.19", engineOf("10.11.19-MariaDB-0+deb12u1-log"))
	require.Equal(t, "MySQL 9.7.4", engineOf("9.7.4-2"))
	require.Equal(t, "MySQL 9.7.0", engineOf("9.7.0"))
}
