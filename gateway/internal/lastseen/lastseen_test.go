package lastseen

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

// clock is a time that the test moves.
type clock struct{ time time.Time }

func (c *clock) now() time.Time { return c.time }

func newClock() *clock { return &clock{time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

// inbox keeps the batches that were sent.
type inbox struct {
	batches [][]accounts.LastSeen
	err     error
}

func (i *inbox) send(_ context.Context, batch []accounts.LastSeen) error {
	i.batches = append(i.batches, batch)
	return i.err
}

func newReporter(box *inbox, clock *clock) *Reporter {
	return NewReporter(box.send, slog.New(slog.DiscardHandler), clock.now)
}

func TestSessionIsReportedAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	clock, box := newClock(), &inbox{}
	reporter := newReporter(box, clock)
	began := clock.time
	for range 5 {
		reporter.Note(1)
		reporter.Note(2)
	}
	reporter.report(t.Context())
	require.Equal(t, [][]accounts.LastSeen{{{SessionID: 1, At: began}, {SessionID: 2, At: began}}}, box.batches)

	clock.time = began.Add(59 * time.Second)
	reporter.Note(1)
	reporter.report(t.Context())
	require.Len(t, box.batches, 1, "nothing new, nothing sent")

	clock.time = began.Add(time.Minute)
	reporter.Note(1)
	reporter.report(t.Context())
	require.Equal(t, []accounts.LastSeen{{SessionID: 1, At: clock.time}}, box.batches[1])
}

func TestManySessionsAreSentInBatchesAndWhatCannotBeSentIsGivenUp(t *testing.T) {
	t.Parallel()
	clock, box := newClock(), &inbox{}
	reporter := newReporter(box, clock)
	for session := range uint64(accounts.MaxLastSeen + 1) {
		reporter.Note(session + 1)
	}
	reporter.report(t.Context())
	require.Len(t, box.batches, 2)
	require.Len(t, box.batches[0], accounts.MaxLastSeen)
	require.Len(t, box.batches[1], 1)

	box.err = errors.New("away")
	clock.time = clock.time.Add(time.Hour)
	for session := range uint64(accounts.MaxLastSeen + 1) {
		reporter.Note(session + 1)
	}
	reporter.report(t.Context())
	require.Len(t, box.batches, 3)
	reporter.report(t.Context())
	require.Len(t, box.batches, 3)
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	clock := newClock()
	reporter := newReporter(&inbox{}, clock)
	for session := range uint64(2 * maxSessions) {
		reporter.Note(session + 1)
	}
	require.Len(t, reporter.noted, maxSessions)
	require.Len(t, reporter.pending, maxSessions)
	clock.time = clock.time.Add(quietFor)
	reporter.report(t.Context())
	require.Empty(t, reporter.noted)
	reporter.Note(3 * maxSessions)
	require.Len(t, reporter.pending, 1)
}

func TestAccountsHearsOverNATS(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	conn, err := natsx.Connect(natsx.Config{URL: server.URL(), User: "test"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	heard := make(chan accounts.LastSeenRequest, 1)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- natsx.Serve(ctx, conn, accounts.Service, slog.New(slog.DiscardHandler), natsx.NewEndpoint("seen",
			accounts.SubjectLastSeen, func(_ context.Context, request accounts.LastSeenRequest) (accounts.LastSeenReply, error) {
				heard <- request
				return accounts.LastSeenReply{}, nil
			}))
	}()
	batch := []accounts.LastSeen{{SessionID: 7, At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}}
	require.Eventually(t, func() bool { return OverNATS(conn)(t.Context(), batch) == nil }, time.Minute, 10*time.Millisecond)
	require.Equal(t, batch, (<-heard).Sessions)
	stop()
	require.NoError(t, <-ended)
}
