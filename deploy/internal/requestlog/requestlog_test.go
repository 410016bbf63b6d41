package requestlog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheLinesOfARequestAreShownFromAllLogsInTheOrderOfTime(t *testing.T) {
	t.Parallel()
	const (
		gateway  = `{"time":"2026-11-30T04:21:26.9Z","service":"gateway","status":503,"request_id":"A"}`
		accounts = `{"time":"2026-11-30T04:21:26.85Z","service":"accounts","request_id":"A"}`
		orders   = `{"time":"2026-11-30T04:21:26.851Z","service":"orders","request_id":"A"}`
		others   = `{"time":"2026-11-30T04:21:26.8Z","request_id":"AB"}` + "\n" + `{"msg":"A","request_id":"B"}` + "\nA is no JSON\n"
	)
	lines := Of("A")
	for _, log := range []string{others + gateway + "\n" + others, others + orders, accounts + "\n", ""} {
		require.NoError(t, lines.Read(strings.NewReader(log)))
	}
	var out strings.Builder
	require.NoError(t, lines.Show(&out))
	require.Equal(t, []string{accounts, orders, gateway, ""}, strings.Split(out.String(), "\n"))

	require.ErrorContains(t, Of("C").Show(&out), `no log holds the request "C"`)
	many := Of("A")
	require.NoError(t, many.Read(strings.NewReader(strings.Repeat(gateway+"\n", most+1))))
	require.NoError(t, many.Read(strings.NewReader(orders+"\n")))
	out.Reset()
	require.ErrorContains(t, many.Show(&out), "more lines")
	require.Contains(t, out.String(), orders, "the lines of one service hide no other's")
}
