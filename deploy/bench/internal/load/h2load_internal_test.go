package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALineOfH2loadsLogTellsStatusAndTimeOrIsAnError(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		status int
		after  time.Duration
	}{
		"1511864141123456\t200\t1523":   {200, 1523 * time.Microsecond},
		"1511864141123456\t429\t80\t12": {429, 80 * time.Microsecond},
		"1511864141123456\t-1\t5000000": {0, 5 * time.Second},
	} {
		status, after, err := parseH2load(line)
		require.NoError(t, err)
		require.Equal(t, want.status, status)
		require.Equal(t, want.after, after)
	}
	for _, line := range []string{"", "1511864141123456\t200", "1 x 3", "1 200 x"} {
		_, _, err := parseH2load(line)
		require.Error(t, err, line)
	}
}
