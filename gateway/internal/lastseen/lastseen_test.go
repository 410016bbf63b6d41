package lastseen

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

// inbox keeps the batches that were sent.
type inbox struct {
	batches [][]accounts.LastSeen
	err     error
}

func (i *inbox) send(_ context.Context, batch []accounts.LastSeen) error {
	i.batches = append(i.batches, batch)
	return i.err
}

func newReporter(box *inbox, clock *testkit.Clock) *Reporter {
	return NewReporter(box.send, slog.New(slog.DiscardHandler), clock.Now)
}

func TestSessionIsReportedAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	clock, box := testkit.Noon(), &inbox{}
	reporter := newReporter(box, clock)
	began := clock.Now()
	for range 5 {
		reporter.Note(1)
		reporter.Note(2)
	}
	reporter.report(t.Context())
	require.Equal(t, [][]accounts.LastSeen{{{SessionID: 1, At: began}, {SessionID: 2, At: began}}}, box.batches)

	clock.Advance(59 * time.Second)
	reporter.Note(1)
	reporter.report(t.Context())
	require.Len(t, box.batches, 1, "nothing new, nothing sent")

	clock.Advance(time.Second)
	reporter.Note(1)
	reporter.report(t.Context())
	require.Equal(t, []accounts.LastSeen{{SessionID: 1, At: clock.Now()}}, box.batches[1])
}

func TestManySessionsAreSentInBatchesAndWhatCannotBeSentIsGivenUp(t *testing.T) {
	t.Parallel()
	clock, box := testkit.Noon(), &inbox{}
	reporter := newReporter(box, clock)
	for session := range uint64(accounts.MaxLastSeen + 1) {
		reporter.Note(session + 1)
	}
	reporter.report(t.Context())
	require.Len(t, box.batches, 2)
	require.Len(t, box.batches[0], accounts.MaxLastSeen)
	require.Len(t, box.batches[1], 1)

	box.err = errors.New("away")
	clock.Advance(time.Hour)
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
	clock := testkit.Noon()
	reporter := newReporter(&inbox{}, clock)
	for session := range uint64(2 * maxSessions) {
		reporter.Note(session + 1)
	}
	require.Len(t, reporter.noted, maxSessions)
	require.Len(t, reporter.pending, maxSessions)
	clock.Advance(quietFor)
	reporter.report(t.Context())
	require.Empty(t, reporter.noted)
	reporter.Note(3 * maxSessions)
	require.Len(t, reporter.pending, 1)
}

func TestAccountsHearsOverNATS(t *testing.T) {
	t.Parallel()
	server := testservers.NewNATS(t, "")
	conn := testkit.Connect(t, server.URL(), "test")
	heard := make(chan accounts.LastSeenRequest, 1)
	testservers.Run(t, func(ctx context.Context) error {
		return natsx.Serve(ctx, conn, accounts.Service, slog.New(slog.DiscardHandler), natsx.NewEndpoint("seen",
			accounts.SubjectLastSeen, func(_ context.Context, request accounts.LastSeenRequest) (accounts.LastSeenReply, error) {
				heard <- request
				return accounts.LastSeenReply{}, nil
			}))
	})
	batch := []accounts.LastSeen{{SessionID: 7, At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}}
	require.Eventually(t, func() bool { return OverNATS(conn)(t.Context(), batch) == nil }, time.Minute, 10*time.Millisecond)
	require.Equal(t, batch, (<-heard).Sessions)
}
