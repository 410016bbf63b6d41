package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/events"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/servers/testservers"
)

func newClient(t *testing.T, world world) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect(world.nats.URL())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	client, err := jetstream.New(conn)
	require.NoError(t, err)
	return client
}

// makeStream makes the stream with a window of duplicates of its own.
func makeStream(t *testing.T, world world, duplicates time.Duration) jetstream.JetStream {
	t.Helper()
	client := newClient(t, world)
	_, err := client.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: events.Stream, Subjects: []string{"oms.events.>"}, Storage: jetstream.FileStorage, Duplicates: duplicates,
	})
	require.NoError(t, err)
	return client
}

// takeSubjects has the server refuse to make the stream with these subjects, until give is called.
func takeSubjects(t *testing.T, world world, subjects string) (give func()) {
	t.Helper()
	client := newClient(t, world)
	_, err := client.CreateStream(t.Context(), jetstream.StreamConfig{Name: "OTHER", Subjects: []string{subjects}})
	require.NoError(t, err)
	return func() { require.NoError(t, client.DeleteStream(t.Context(), "OTHER")) }
}

// publish publishes an event, past the outbox.
func publish(t *testing.T, client jetstream.JetStream, event events.Event) *jetstream.PubAck {
	t.Helper()
	body, err := json.Marshal(event)
	require.NoError(t, err)
	ack, err := client.Publish(t.Context(), events.SubjectOf("accounts", "deleted"), body, jetstream.WithMsgID(event.ID))
	require.NoError(t, err)
	return ack
}

// settled waits until the consumer is done with all that was published. The number of pending messages would not do: the
// server may count one after it has acknowledged its publishing.
func settled(t *testing.T, client jetstream.JetStream) {
	t.Helper()
	require.Eventually(t, func() bool {
		consumer, err := client.Consumer(t.Context(), events.Stream, "orders")
		if err != nil {
			return false
		}
		stream, err := client.Stream(t.Context(), events.Stream)
		if err != nil {
			return false
		}
		return consumer.CachedInfo().AckFloor.Stream == stream.CachedInfo().State.LastSeq
	}, patient, 10*time.Millisecond)
}

func TestAnEventThatComesAgainHasNoSecondEffect(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	client := makeStream(t, world, 100*time.Millisecond)
	testservers.Run(t, world.consumer(t, world.open(t), discard, note).Run)
	event := newEvent(t, "7")
	require.False(t, publish(t, client, event).Duplicate)
	world.await(t, 1, "effect")
	require.Eventually(t, func() bool { return !publish(t, client, event).Duplicate }, patient, 10*time.Millisecond,
		"beyond the stream's window the same event is a new message")
	settled(t, client)
	require.Equal(t, 1, world.count(t, "effect"))
	require.Len(t, world.ids(t), 2)
}

func TestAFailureLeavesNoEffectAndTheEventComesAgain(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	client := makeStream(t, world, time.Second)
	var tries atomic.Int32
	log, lines := newLog()
	testservers.Run(t, world.consumer(t, world.open(t), log, func(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
		if err := note(ctx, tx, event); err != nil {
			return err
		}
		switch tries.Add(1) {
		case 1:
			return errors.New("refused")
		case 2:
			panic("a mistake")
		}
		return nil
	}).Run)
	publish(t, client, newEvent(t, "7"))
	settled(t, client)
	require.EqualValues(t, 3, tries.Load())
	require.Equal(t, 1, world.count(t, "effect"))
	require.Equal(t, 2, lines.count("an event was not handled and comes again"))
}

func TestAnEventThatWasRefusedOftenInAShortTimeIsNotGivenUp(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	client := makeStream(t, world, time.Second)
	publish(t, client, newEvent(t, "poison"))
	var tries atomic.Int32
	log, _ := newLog()
	consumer := world.consumer(t, world.open(t), log, func(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
		if tries.Add(1) <= 5 {
			return errors.New("refused")
		}
		return note(ctx, tx, event)
	})
	consumer.SetRetries(10*time.Millisecond, 2, time.Hour)
	testservers.Run(t, consumer.Run)
	world.await(t, 1, "effect")
}

func TestAnEventThatIsAlwaysRefusedDelaysNoOthersAndIsGivenUp(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	client := makeStream(t, world, time.Second)
	var tries, others atomic.Int32
	var between int32 // events that were handled between the first try of the refused one and the second
	log, lines := newLog()
	_, err := client.Publish(t.Context(), events.SubjectOf("accounts", "deleted"), []byte("no event"))
	require.NoError(t, err)
	_, err = client.Publish(t.Context(), events.SubjectOf("accounts", "deleted"), []byte(`{"specversion": "1.0", "id": "1", "type": "x"}`))
	require.NoError(t, err)
	publish(t, client, newEvent(t, "poison"))
	for i := range 20 {
		publish(t, client, newEvent(t, fmt.Sprint(i)))
	}
	consumer := world.consumer(t, world.open(t), log, func(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
		if event.Subject == "poison" {
			if tries.Add(1) == 2 {
				between = others.Load()
			}
			return errors.New("refused")
		}
		others.Add(1)
		return note(ctx, tx, event)
	})
	consumer.SetRetries(5*time.Second, 2, 0)
	testservers.Run(t, consumer.Run)
	world.await(t, 20, "effect")
	settled(t, client)
	require.EqualValues(t, 2, tries.Load())
	require.NotZero(t, between, "the others waited for it")
	require.Equal(t, 1, lines.count("an event is given up"))
	require.Equal(t, 2, lines.count("what cannot be read as an event is given up"))
	require.Equal(t, 20, world.count(t, "inbox"))
}

func TestAnOutageIsNoRefusal(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	client := makeStream(t, world, time.Second)
	var tries atomic.Int32
	testservers.Run(t, world.consumer(t, world.open(t), discard, func(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
		if tries.Add(1) <= 5 { // more often than an event may be refused
			return fault.NewUnavailable(errors.New("no server is writable"))
		}
		return note(ctx, tx, event)
	}).Run)
	publish(t, client, newEvent(t, "7"))
	world.await(t, 1, "effect")
	settled(t, client)
}

func TestAConsumerThatEndsFinishesWhatItBeganAndGivesBackTheRest(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	client := makeStream(t, world, time.Second)
	for i := range 10 {
		publish(t, client, newEvent(t, fmt.Sprint(i)))
	}
	begun, finish := make(chan struct{}), make(chan struct{})
	first := world.consumer(t, world.open(t), discard, func(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
		close(begun)
		<-finish
		return note(ctx, tx, event)
	})
	// What is not given back would wait for an hour, as it waits for a shorter time with an instance that was killed.
	first.SetAckWait(time.Hour)
	stop := testservers.Run(t, first.Run)
	<-begun
	ended := make(chan struct{})
	go func() {
		stop()
		close(ended)
	}()
	require.Never(t, func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	}, 200*time.Millisecond, 50*time.Millisecond)
	close(finish)
	<-ended
	require.Equal(t, 1, world.count(t, "effect"))
	another := world.consumer(t, world.open(t), discard, note)
	another.SetAckWait(time.Hour)
	testservers.Run(t, another.Run)
	world.await(t, 10, "effect")
}

func TestWorkThatHasBegunOutlivesItsContextBySomeTimeAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		longer, cancel := events.Outlive(ctx, time.Second)
		defer cancel()
		synctest.Wait()
		require.NoError(t, longer.Err())
		began := time.Now()
		end()
		<-longer.Done()
		require.Equal(t, time.Second, time.Since(began))
	})
}

func TestAConsumerWhoseDatabaseHangsEndsAllTheSame(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	client := makeStream(t, world, time.Second)
	publish(t, client, newEvent(t, "1"))
	begun := make(chan struct{})
	consumer := world.consumer(t, world.open(t), discard, func(ctx context.Context, _ mysqlx.Writer, _ events.Event) error {
		select {
		case begun <- struct{}{}:
		case <-ctx.Done():
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	consumer.SetEndPatience(time.Millisecond)
	stop := testservers.Run(t, consumer.Run)
	<-begun
	stop()
	testservers.Run(t, world.consumer(t, world.open(t), discard, note).Run)
	world.await(t, 1, "effect")
}

func TestAConsumerThatWasDeletedBeginsAnewWithoutASecondEffect(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	client := makeStream(t, world, time.Second)
	testservers.Run(t, world.consumer(t, world.open(t), discard, note).Run)
	publish(t, client, newEvent(t, "1"))
	settled(t, client)
	require.NoError(t, client.DeleteConsumer(t.Context(), events.Stream, "orders"))
	publish(t, client, newEvent(t, "2"))
	world.await(t, 2, "effect")
	settled(t, client)
	require.Equal(t, 2, world.count(t, "effect"))
}

func TestAConsumerMakesItsStreamAsSoonAsItCan(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	give := takeSubjects(t, world, "oms.events.>")
	log, lines := newLog()
	consumer := world.consumer(t, world.open(t), log, note)
	testservers.Run(t, consumer.Run)
	require.Eventually(t, func() bool { return consumer.Healthy() != nil }, patient, patience)
	give()
	require.Eventually(t, func() bool { return consumer.Healthy() == nil }, patient, patience)
	publish(t, newClient(t, world), newEvent(t, "1"))
	world.await(t, 1, "effect")
	require.Equal(t, 1, lines.count("consuming of events stands still"))
	require.Equal(t, 1, lines.count("consuming of events goes on"))
}

func TestTheInboxIsCleanedOfWhatTheStreamHasForgotten(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	makeStream(t, world, time.Second)
	now := time.Now()
	tx, err := world.root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	const insert = "INSERT INTO inbox (consumer, event_id, handled_at) VALUES (?, ?, ?)"
	old := now.Add(-events.InboxTime - time.Minute).UTC()
	for i := range 501 { // more than are deleted at a time
		_, err := tx.ExecContext(t.Context(), insert, "orders", fmt.Sprint(i), old)
		require.NoError(t, err)
	}
	_, err = tx.ExecContext(t.Context(), insert, "another", "1", old)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), insert, "orders", "recent", now.Add(-events.InboxTime+time.Minute).UTC())
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	testservers.Run(t, events.NewConsumer(world.open(t), world.connect(t), events.ConsumerOptions{
		Durable: "orders", Subject: events.SubjectOf("accounts", "deleted"), Log: discard, Now: func() time.Time { return now },
	}, note).Run)
	world.await(t, 2, "inbox")
}
