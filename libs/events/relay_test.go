package events_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
	"oms.internal/servers/testservers"
)

func TestWhatIsCommittedIsPublishedAndNothingElse(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	db := world.open(t)
	world.relay(t, db, discard)
	refused := errors.New("refused")
	require.ErrorIs(t, db.Cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		return errors.Join(events.Append(ctx, tx, newEvent(t, "never")), refused)
	}), refused)
	told := tell(t, db, 3)
	world.await(t, 0, waiting)
	messages := world.stream(t)
	require.Len(t, messages, 3)
	for i, message := range messages {
		require.Equal(t, "oms.events.accounts.deleted.v1", message.Subject)
		require.Equal(t, told[i], message.Header.Get(nats.MsgIdHdr))
		require.Equal(t, []string{"application/cloudevents+json"}, message.Header["content-type"])
		require.Contains(t, string(message.Data), `"id":"`+told[i]+`"`)
		require.Contains(t, string(message.Data), `"data":{"id":"`+fmt.Sprint(i)+`"}`)
	}
}

// From the commit to a subscriber, at rest: what the README promises is measured with `go test -bench AtRest`.
func BenchmarkAtRestAnEventIsPublished(b *testing.B) {
	world := newWorld(b)
	db := world.open(b)
	world.relay(b, db, discard)
	conn := world.connect(b)
	heard, err := conn.SubscribeSync("oms.events.>")
	require.NoError(b, err)
	require.NoError(b, conn.FlushTimeout(patient))
	for b.Loop() {
		tell(b, db, 1)
		_, err := heard.NextMsg(patient)
		require.NoError(b, err)
	}
}

func TestAtRestNothingIsWritten(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	db := world.open(t)
	world.relay(t, db, discard)
	tell(t, db, 1)
	world.await(t, 0, waiting)
	before := db.writes.Load()
	require.Never(t, func() bool { return db.writes.Load() > before }, time.Second, 50*time.Millisecond)
}

func TestARelayThatIsKilledBeforeItNotesWhatItPublishedPublishesNothingTwice(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	db := world.open(t)
	const losses = 3
	db.lose(losses)
	told := tell(t, db, 10)
	world.relay(t, db, discard)
	world.await(t, 0, waiting)
	require.Negative(t, db.losses.Load(), "it was killed after each publishing")
	require.ElementsMatch(t, told, world.ids(t))
}

func TestRelaysShareTheWork(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	var dbs []*database
	for range 2 {
		db := world.open(t)
		world.relay(t, db, discard)
		dbs = append(dbs, db)
	}
	told := append(tell(t, dbs[0], 100), tell(t, dbs[1], 100)...)
	world.await(t, 0, waiting)
	require.ElementsMatch(t, told, world.ids(t))
}

func TestNobodyWaitsForARelayThatWaitsForNATS(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	db := world.open(t)
	world.relay(t, db, discard)
	tell(t, db, 1)
	world.await(t, 0, waiting)
	require.NoError(t, world.nats.Pause())
	// The relay claims the first of these and holds them for two seconds, while no acknowledgement comes. A transaction that had
	// to wait for one of its rows would be given up after a second, and run again.
	told, runs := 0, 0
	for begun := time.Now(); time.Since(begun) < 4*time.Second; told++ {
		event := newEvent(t, fmt.Sprint(told))
		require.NoError(t, db.Cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
			runs++
			return events.Append(ctx, tx, event)
		}))
	}
	require.NoError(t, world.nats.Continue())
	require.Equal(t, told, runs, "a transaction waited")
	world.await(t, 0, waiting)
	require.Len(t, world.ids(t), told+1)
}

func TestTheClaimOfARelayThatHangsEnds(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	db := world.open(t)
	tell(t, db, 250)
	hanging, err := world.root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer hanging.Rollback() //nolint:errcheck // the server ends it first
	claimed, err := events.Claim(t.Context(), mysqlx.Writer{Tx: hanging}, []uint64{1, 2, 3})
	require.NoError(t, err)
	require.Equal(t, 3, claimed)
	world.relay(t, db, discard)
	world.await(t, 3, waiting)
	world.await(t, 0, waiting)
}

func TestWithoutNATSEventsWaitAndTheLogSaysSoOnce(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	require.NoError(t, world.nats.Kill())
	db := world.open(t)
	log, lines := newLog()
	relay := events.NewRelay(db, world.connect(t), events.RelayOptions{Log: log})
	testservers.Run(t, relay.Run)
	told := tell(t, db, 5)
	for range 2 {
		require.Eventually(t, func() bool { return relay.Healthy() != nil }, patient, patience)
		require.NoError(t, world.nats.Restart(t.Context()))
		world.await(t, 0, waiting)
		require.Eventually(t, func() bool { return relay.Healthy() == nil }, patient, patience)
		require.ElementsMatch(t, told, world.ids(t))
		require.NoError(t, world.nats.Kill())
		told = append(told, tell(t, db, 5)...)
	}
	require.Eventually(t, func() bool { return relay.Healthy() != nil }, patient, patience)
	require.Equal(t, 3, lines.count("publishing of events stands still"))
	require.Equal(t, 2, lines.count("publishing of events goes on"))
}

func TestAtItsEndARelayPublishesWhatWasWrittenBefore(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	db := world.open(t)
	stop := world.relay(t, db, discard)
	tell(t, db, 1)
	world.await(t, 0, waiting)
	for range 5 {
		tell(t, db, 1)
		stop()
		require.Zero(t, world.count(t, waiting))
		stop = world.relay(t, db, discard)
	}
}

func TestAStreamWithOtherSettingsIsUsedAsItIs(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	makeStream(t, world, time.Second)
	db := world.open(t)
	log, lines := newLog()
	world.relay(t, db, log)
	told := tell(t, db, 3)
	world.await(t, 0, waiting)
	require.Equal(t, told, world.ids(t))
	require.Equal(t, 1, lines.count("events are published to the stream as it is"))
}

func TestAStreamThatCannotBeMadeKeepsNoEventOfTheOtherWaiting(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"oms.audit.", "oms.events."} {
		world := newWorld(t)
		give := takeSubjects(t, world, prefix+">")
		db := world.open(t)
		audit, err := events.NewAudit("orders", time.Now(), map[string]string{})
		require.NoError(t, err)
		for _, event := range []events.Event{audit, newEvent(t, "7")} {
			require.NoError(t, appendTo(t.Context(), db, event))
		}
		world.relay(t, db, discard)
		world.await(t, 0, waiting+" AND subject NOT LIKE '"+prefix+"%'")
		require.NotZero(t, world.count(t, waiting))
		give()
		world.await(t, 0, waiting)
	}
}

func TestNoNumberOfEventsForAStreamThatTakesNoneHidesThoseForTheOther(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	give := takeSubjects(t, world, "oms.audit.>")
	const stuck, atOnce = 2 * (events.LookAhead + events.LookBeyond), 1000
	for begin := 0; begin < stuck; begin += atOnce {
		insert := "INSERT INTO outbox (event_id, subject, content, created_at) VALUES "
		for i := range atOnce {
			insert += fmt.Sprintf("('stuck%d', 'oms.audit.orders.v1', '{}', '2026-11-30 00:00:00'),", begin+i)
		}
		_, err := world.root.ExecContext(t.Context(), strings.TrimSuffix(insert, ","))
		require.NoError(t, err)
	}
	db := world.open(t)
	told := tell(t, db, 3)
	world.relay(t, db, discard)
	for range 2 { // also what comes when all of the outbox was looked at
		world.await(t, stuck, waiting)
		require.Equal(t, told, world.ids(t))
		told = append(told, tell(t, db, 3)...)
	}
	give()
	require.Eventually(t, func() bool { return world.count(t, waiting) < stuck }, patient, patience)
}

func TestTheOutboxIsCleanedOfWhatWasPublishedADayAgo(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	now := time.Now()
	const insert = "INSERT INTO outbox (event_id, subject, content, created_at, published_at) VALUES (?, 'oms.events.x', '{}', ?, ?)"
	tx, err := world.root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for i := range 1001 { // more than are deleted at a time
		_, err := tx.ExecContext(t.Context(), insert, fmt.Sprint("old", i), now, now.Add(-events.OutboxTime-time.Minute).UTC())
		require.NoError(t, err)
	}
	_, err = tx.ExecContext(t.Context(), insert, "recent", now, now.Add(-events.OutboxTime+time.Minute).UTC())
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), insert, "waiting", now.Add(-events.OutboxTime-time.Hour).UTC(), nil)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	db := world.open(t)
	testservers.Run(t, events.NewRelay(db, world.connect(t), events.RelayOptions{Log: discard, Now: func() time.Time { return now }}).Run)
	world.await(t, 2, "outbox")
	world.await(t, 0, waiting)
	require.Equal(t, []string{"waiting"}, world.ids(t))
}
