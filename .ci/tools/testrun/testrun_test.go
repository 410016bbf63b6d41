package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"gotest.tools/gotestsum/testjson"
)

// play hands events to report, waits as long as each says, and returns what report wrote.
func play(t *testing.T, stderr string, moments ...moment) string {
	t.Helper()
	var out strings.Builder
	synctest.Test(t, func(t *testing.T) {
		events, feed := io.Pipe()
		go func() {
			for _, m := range moments {
				_ = json.NewEncoder(feed).Encode(m.event)
				time.Sleep(m.pause) //nolint:forbidigo // the time of the bubble
			}
			_ = feed.Close()
		}()
		require.NoError(t, report(events, strings.NewReader(stderr), &out))
	})
	return out.String()
}

// moment is an event and the time that passes after it.
type moment struct {
	event testjson.TestEvent
	pause time.Duration
}

func event(action testjson.Action, name string) moment {
	return moment{event: testjson.TestEvent{Action: action, Package: "oms.internal/some", Test: name}}
}

func TestWhatRunsIsSaidWhenNothingWasSaidForTenSeconds(t *testing.T) {
	t.Parallel()
	begins := event("start", "")
	begins.pause = 10*time.Second + time.Millisecond
	part := event(testjson.ActionRun, "TestOld/part")
	part.pause = 11 * time.Second
	ends := event(testjson.ActionPass, "")
	ends.pause = 7 * time.Second
	text := play(t, "", begins,
		// A test that waits for others does not run. Of those that run, the oldest is named, and its part rather than the whole.
		event(testjson.ActionRun, "TestWaits"), event(testjson.ActionPause, "TestWaits"),
		event(testjson.ActionRun, "TestOld"), part, ends)
	lines := strings.Split(text, "\n")
	require.Equal(t, "after 9s: running oms.internal/some (9s)", lines[0])
	require.Equal(t, "after 18s: running oms.internal/some (18s) TestOld/part (8s)", lines[1])
	require.Contains(t, lines[2], "PASS  oms.internal/some")
	require.NotContains(t, text, "after 27s", "the package's line broke the silence")
}

func TestTheSummaryNamesTheSlowestTestsAndEndsAsGotestsumDoes(t *testing.T) {
	t.Parallel()
	moments := []moment{event("start", "")}
	for name, seconds := range map[string]float64{"TestQuick": 0.1, "TestSlow": 9, "TestSlow/part": 8} {
		end := event(testjson.ActionPass, name)
		end.event.Elapsed = seconds
		moments = append(moments, event(testjson.ActionRun, name), end)
	}
	text := play(t, "", moments...)
	require.Contains(t, text, "=== Slowest\n    9.00s oms.internal/some TestSlow\n    0.10s oms.internal/some TestQuick\n")
	require.Regexp(t, `\nDONE 3 tests in [\d.]+s\n$`, text)
}

func TestFailuresAndWhatDoesNotBuildAreShownAgainAtTheEnd(t *testing.T) {
	t.Parallel()
	output := event(testjson.ActionOutput, "TestBroken")
	output.event.Output = "    file_test.go:7: it is broken\n"
	text := play(t, "some/file.go:1:2: undefined: x", event("start", ""), event(testjson.ActionRun, "TestBroken"), output,
		event(testjson.ActionFail, "TestBroken"), event(testjson.ActionFail, ""))
	_, summary, _ := strings.Cut(text, "=== Failed")
	require.Contains(t, summary, "FAIL: oms.internal/some TestBroken")
	require.Contains(t, summary, "it is broken")
	require.Contains(t, summary, "=== Errors\nsome/file.go:1:2: undefined: x\n")
	require.Regexp(t, `\nDONE 1 tests, 1 failure, 1 error in [\d.]+s\n$`, summary)
}
