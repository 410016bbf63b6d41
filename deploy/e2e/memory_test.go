package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxResident is what each service may hold in memory, in KiB.
const maxResident = 64 << 10

func TestEachServiceStaysBelow64MiBUnderLoad(t *testing.T) {
	members := []member{signUp(t), signUp(t), signUp(t), signUp(t), signUp(t), signUp(t), signUp(t), signUp(t)}
	running := startLoad(t, len(members), func(i int) (bool, string) {
		own := members[i]
		if i%2 == 0 {
			// Password hashes are what memory goes to.
			return succeeded(own.try(t.Context(), http.MethodPost, "/auth/login", map[string]any{"email": own.email, "password": password}))
		}
		for _, path := range []string{"/accounts/users?limit=100", "/accounts/users?search=kim", "/orders/"} {
			if ok, what := succeeded(own.try(t.Context(), http.MethodGet, path, nil)); !ok {
				return ok, what
			}
		}
		return succeeded(own.try(t.Context(), http.MethodPost, "/orders/", newOrder(strings.Repeat("가", 100))))
	})
	requireGoesOn(t, running, 200)
	running.end()
	require.Zero(t, running.failed.Load(), "%v", running.example.Load())
	for _, name := range []string{"accounts", "orders", "gateway"} {
		peak := peakResident(t, process(t, "run", name+".json").PID())
		t.Logf("%s: %d KiB at most", name, peak)
		require.Less(t, peak, maxResident, name)
	}
}

// peakResident reads the most that a process ever held in memory, in KiB.
func peakResident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	defer func() { require.NoError(t, status.Close()) }()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		var peak int
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &peak); err == nil {
			return peak
		}
	}
	require.Fail(t, "no VmHWM")
	return 0
}
