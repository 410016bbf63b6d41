package load

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// H2load asks for one thing at a rate that a generator in Go cannot reach beside a system on the same cores. The connections share the
// rate, and each waits for its answer before it sends the next request. So there must be many more connections than answers that are
// slow at a time, and who calls must compare the number of answers with what was to be offered. It returns the answers by their
// status; 0 stands for none.
func H2load(ctx context.Context, url, token string, connections, ratePerConnection int, lasting time.Duration) (map[int]Answers, error) {
	folder, err := os.MkdirTemp("", "h2load")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a file of the temporary folder
	log := filepath.Join(folder, "log")
	// #nosec G204 -- our own arguments
	command := exec.CommandContext(ctx, "h2load", "--h1", "-t1", "-c"+strconv.Itoa(connections), "--rps="+strconv.Itoa(ratePerConnection),
		"-D"+strconv.Itoa(seconds(lasting)), "--log-file="+log, "-HAuthorization: Token "+token, url)
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("h2load: %w\n%s", err, output)
	}
	file, err := os.Open(log) // #nosec G304 -- our own file
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	took := map[int][]time.Duration{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		status, after, err := parseH2load(lines.Text())
		if err != nil {
			return nil, err
		}
		took[status] = append(took[status], after)
	}
	return summarize(took), lines.Err()
}

// parseH2load reads a line of h2load's log: when the request began, the status of its answer, -1 for none, and the microseconds until
// its end.
func parseH2load(line string) (status int, after time.Duration, err error) {
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return 0, 0, fmt.Errorf("h2load: %q is no line of its log", line)
	}
	status, statusErr := strconv.Atoi(fields[1])
	micros, timeErr := strconv.ParseInt(fields[2], 10, 64)
	if statusErr != nil || timeErr != nil {
		return 0, 0, fmt.Errorf("h2load: %q is no line of its log", line)
	}
	return max(0, status), time.Duration(micros) * time.Microsecond, nil
}

// summarize returns how many answers there were of each status, and how long they took.
func summarize(took map[int][]time.Duration) map[int]Answers {
	answers := map[int]Answers{}
	for status, times := range took {
		slices.Sort(times)
		answers[status] = Answers{Count: len(times), P50: percentile(times, 50), P99: percentile(times, 99)}
	}
	return answers
}
