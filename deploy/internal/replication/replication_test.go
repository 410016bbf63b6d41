package replication

import (
	"database/sql"
	"net"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/database"
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
		"replica down":  func(_, replica *state) { *replica = state{role: down} },
		"primary down":  func(primary, _ *state) { *primary = state{role: down} },
	} {
		states := good()
		spoil(&states[0], &states[1])
		require.False(t, judge(states).good(), name)
	}
}

func TestServersThatAreDownAreNamedAndNothingIsSaidOfWhatTheyHold(t *testing.T) {
	up := state{server: "primary :1", role: "primary", position: "0-1-7"}
	gone := func(name string) state { return state{server: name, role: down, problem: "connection refused"} }
	hanging := func(name string) state {
		return state{server: name, role: down, problem: "no answer within 3s", hangs: true}
	}
	for name, test := range map[string]struct {
		states []state
		says   []string
	}{
		"both":        {[]state{gone("primary :1"), gone("replica :2")}, []string{"primary :1 is DOWN", "replica :2 is DOWN", "both servers are DOWN", "make up"}},
		"the replica": {[]state{up, gone("replica :2")}, []string{"replica :2 is DOWN: connection refused", "goes on alone", "make rejoin"}},
		"the primary": {[]state{gone("primary :1"), {role: "replica"}}, []string{"primary :1 is DOWN", "nothing can be written", "`make up` starts", "make failover"}},
		"one hangs, the other is gone": {[]state{hanging("primary :1"), gone("replica :2")}, []string{
			"primary :1 HANGS", "replica :2 is DOWN", "both servers are DOWN", "`make down` has ended what hangs and `make up`",
		}},
		"the replica hangs": {[]state{up, hanging("replica :2")}, []string{"replica :2 HANGS: no answer within 3s", "goes on alone", "`make rejoin` kills"}},
		"the primary hangs": {[]state{hanging("primary :1"), {role: "replica"}}, []string{"primary :1 HANGS", "nothing can be written", "`make failover` kills"}},
	} {
		result := judge(test.states)
		require.False(t, result.mayBecomeGood(), name)
		for _, text := range test.says {
			require.Contains(t, result.String(), text, name)
		}
		require.NotContains(t, result.String(), "equal", name)
		require.NotContains(t, result.String(), "DIFFER", name)
	}
}

func TestServersThatCannotCountTheirRowsAreNotDown(t *testing.T) {
	large := []state{
		{server: "primary", role: "primary", position: "0-1-7", uncounted: "no answer within 30s"},
		{server: "replica", role: "replica", position: "0-1-7", members: 4, replicating: true},
	}
	result := judge(large)
	require.True(t, result.good(), "the positions are equal")
	require.Contains(t, result.String(), "positions equal, counts UNKNOWN: no answer within 30s, replication runs")
	var out strings.Builder
	require.NoError(t, write(&out, large, result))
	require.Regexp(t, `primary .* \? +\?\n`, out.String())

	large[1].replicating = false
	require.False(t, judge(large).good(), "as during a rejoin, in which its tables are gone")
}

func TestOnlyAReplicaThatReplicatesIsWaitedFor(t *testing.T) {
	behind := []state{{role: "primary", position: "0-1-7"}, {role: "replica", position: "0-1-6", replicating: true}}
	require.True(t, judge(behind).mayBecomeGood())
	behind[1].replicating = false
	require.False(t, judge(behind).mayBecomeGood())
	require.False(t, judge([]state{{role: "primary", epoch: 1}, {role: "primary", epoch: 2}}).mayBecomeGood())
}

func TestAServerThatCannotBeAskedIsReportedAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close()) // nobody listens there
	var servers []database.Server
	for _, name := range []string{"primary", "replica"} {
		connector, err := mysql.NewConnector(&mysql.Config{Net: "tcp", Addr: listener.Addr().String(), Logger: &mysql.NopLogger{}})
		require.NoError(t, err)
		servers = append(servers, database.Server{Name: name, Addr: listener.Addr().String(), DB: sql.OpenDB(connector)})
	}
	defer func() { require.NoError(t, database.Close(servers)) }()
	states, result, err := compare(t.Context(), servers)
	require.NoError(t, err)
	require.Equal(t, []string{down, down}, []string{states[0].role, states[1].role})
	require.Contains(t, result.String(), "connection refused")
	require.Contains(t, result.String(), "both servers are DOWN")
}

func TestAServerThatTakesConnectionsAndDoesNotAnswerHangsAndNothingElseIsSaidOfIt(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	connector, err := mysql.NewConnector(&mysql.Config{Net: "tcp", Addr: listener.Addr().String(), Logger: &mysql.NopLogger{}})
	require.NoError(t, err)
	servers := []database.Server{{Name: "primary", Addr: listener.Addr().String(), DB: sql.OpenDB(connector)}}
	defer func() { require.NoError(t, database.Close(servers)) }()
	states := look(t.Context(), servers)
	require.True(t, states[0].hangs, states[0].problem)
	replica := state{server: "replica", role: "replica", epoch: 7, lag: "-"}
	var out strings.Builder
	require.NoError(t, write(&out, append(states, replica), judge(append(states, replica))))
	require.Regexp(t, `primary \S+ +down +- `, out.String(), "no epoch")
	require.Regexp(t, `replica +replica +7 `, out.String())
	require.Contains(t, out.String(), "HANGS: no answer within 3s")
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
