package load

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const output = `Running 4s test @ http://127.0.0.1:8080
  1 threads and 32 connections
Requests/sec:   6100.00

measured {"requests":24400,"partial":400,"microseconds":4000000,"connect":0,"read":0,"write":0,"status":%STATUS%,"timeout":0,"p50":5100.000000,"p99":9800.000000}
`

func replaced(text, old, other string) string { return strings.Replace(text, old, other, 1) }

func withStatus(failed string) string { return replaced(output, "%STATUS%", failed) }

func TestTheFiguresOfWRKAreRead(t *testing.T) {
	t.Parallel()
	got, err := parseWRK(withStatus("0"))
	require.NoError(t, err)
	require.Equal(t, Measured{Rate: 6000, P50: 5100 * time.Microsecond, P99: 9800 * time.Microsecond}, got)
}

func TestAFastWrongAnswerDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a refused request": withStatus("3"),
		"a lost answer":     replaced(withStatus("0"), `"read":0`, `"read":1`),
		"a late answer":     replaced(withStatus("0"), `"timeout":0`, `"timeout":1`),
		"no answer":         replaced(withStatus("0"), `"requests":24400`, `"requests":0`),
		"no whole answer":   replaced(withStatus("0"), `"partial":400`, `"partial":24400`),
		"no figures":        "unable to connect to 127.0.0.1:1 Connection refused\n",
		"half of a line":    withStatus("0")[:len(output)-40],
	} {
		_, err := parseWRK(text)
		require.Error(t, err, name)
	}
}

func TestPercentilesAreTimesThatWereMeasured(t *testing.T) {
	t.Parallel()
	times := []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	require.Equal(t, []time.Duration{5, 10, 1}, []time.Duration{percentile(times, 50), percentile(times, 99), percentile(times[:1], 99)})
}
