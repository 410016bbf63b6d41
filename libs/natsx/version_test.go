package natsx_test

import (
	"encoding/json"
	"testing"

	"github.com/nats-io/nats.go/micro"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/version"
	"oms.internal/servers/testservers"
)

func TestAServiceTellsNATSWhichBuildItIs(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	serve(t, server, echo)
	answer, err := connect(t, server, "operator").Request("$SRV.INFO.test", nil, patient)
	require.NoError(t, err)
	var told micro.Info
	require.NoError(t, json.Unmarshal(answer.Data, &told))
	require.Equal(t, version.Get().Version, told.Version)
}
