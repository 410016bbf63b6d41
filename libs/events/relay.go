package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/mysqlx"
	"oms.internal/libs/pace"
)

const (
	// shortestPause is how long the relay lets events gather before it looks at the outbox again.
	shortestPause = 100 * time.Millisecond
	// longestPause is how long it does not look at the outbox at most. It finds what other processes have left there when they ended.
	longestPause = time.Second
	failurePause = 250 * time.Millisecond
	// batchSize is how many events are published in one transaction, and lookAhead how many are looked at: those at the
	// front may all be claimed by a relay that hangs.
	batchSize = 100
	lookAhead = 1000
	// lookBeyond is how many more are looked at where those at the front cannot be published, in each pass the next ones.
	lookBeyond = 5000
	// ackPatience is how long JetStream may take to store a batch. The batch's rows, and no others, are locked for it.
	ackPatience   = 2 * time.Second
	batchPatience = 5 * time.Second
	// outboxTime is how long events stay in the outbox once they are published.
	outboxTime = 24 * time.Hour
)

// RelayOptions are what a relay needs besides its database and its connection.
type RelayOptions struct {
	// Replicas is how many servers keep a stream, where the relay is the first to need it. 0 stands for 1.
	Replicas int
	Log      *slog.Logger
	Now      func() time.Time // nil stands for time.Now
}

// Relay publishes what is in the outbox. Any number of relays may work on one outbox.
type Relay struct {
	db       Database
	conn     *nats.Conn
	replicas int
	log      *slog.Logger
	now      func() time.Time
	state    state
	backlog  backlog
	// endPatience is for what is begun when the relay is to end, and what was written before.
	endPatience time.Duration

	jetStream jetstream.JetStream
	ensured   map[string]bool // the streams that are there
	// beyond is the last event that was looked at beyond the front, 0 for none.
	beyond uint64
}

// NewRelay returns a relay that is not running yet.
func NewRelay(db Database, conn *nats.Conn, options RelayOptions) *Relay {
	return &Relay{
		db: db, conn: conn, replicas: options.Replicas, log: options.Log, now: orTimeNow(options.Now),
		state: state{log: options.Log, work: "publishing of events"}, endPatience: endPatience,
		backlog: backlog{now: orTimeNow(options.Now)}, ensured: map[string]bool{},
	}
}

func orTimeNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// Run publishes events until ctx ends, then those that were written before, for endPatience. Whatever fails meanwhile, it goes
// on.
func (r *Relay) Run(ctx context.Context) (err error) {
	r.jetStream, err = jetstream.New(r.conn, jetstream.WithPublishAsyncTimeout(ackPatience))
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { r.backlog.follow(ctx, r.db) })
	beside.Go(func() {
		cleanRegularly(ctx, r.log, r.now, outboxTime, func(ctx context.Context, before time.Time) error {
			return cleanOutbox(ctx, r.db, before)
		})
	})
	longer, end := outlive(ctx, r.endPatience)
	defer end()
	for ctx.Err() == nil {
		err := r.pass(ctx, longer)
		if ctx.Err() != nil {
			break
		}
		r.state.note(err)
		if err != nil {
			_ = pace.Wait(ctx, failurePause)
		} else {
			r.rest(ctx)
		}
	}
	if err := r.pass(longer, longer); err != nil {
		r.log.Info("events may wait for another relay", "error", err)
	}
	return nil
}

// rest waits until this process has written something, or for longestPause.
func (r *Relay) rest(ctx context.Context) {
	if pace.Wait(ctx, shortestPause) != nil {
		return
	}
	select {
	case <-ctx.Done():
	case <-r.db.Written():
	case <-time.After(longestPause - shortestPause):
	}
}

// Healthy returns nil unless events wait that cannot be published, or may. It is for lifecycle.Part.
func (r *Relay) Healthy() error { return errors.Join(r.state.get(), r.backlog.stuck()) }

// Metrics returns how many events wait, and how long. They are to be registered once.
func (r *Relay) Metrics() []prometheus.Collector { return r.backlog.metrics() }

// pass publishes what waits now. It begins no batch once ctx has ended, and goes on with one until longer ends. A stream that takes nothing
// keeps no event of the other waiting, however many of its own wait: where those at the front cannot be published, the pass also looks
// beyond them, from where the one before ended.
func (r *Relay) pass(ctx, longer context.Context) error {
	if !r.conn.IsConnected() {
		return errNotConnected
	}
	front, err := pending(ctx, r.db, 0, lookAhead)
	if err != nil {
		return err
	}
	failures := map[string]error{}
	for stream := range subjects {
		failures[stream] = r.passTo(ctx, longer, stream, front.ids[stream])
	}
	failure := errors.Join(slices.Collect(maps.Values(failures))...)
	if failure == nil || front.last == 0 {
		return failure
	}
	further, err := pending(ctx, r.db, max(front.last, r.beyond), lookBeyond)
	if err != nil {
		return errors.Join(failure, err)
	}
	r.beyond = further.last
	for stream := range subjects {
		if failures[stream] == nil {
			failure = errors.Join(failure, r.passTo(ctx, longer, stream, further.ids[stream]))
		}
	}
	return failure
}

// passTo publishes events to the stream that they are for.
func (r *Relay) passTo(ctx, longer context.Context, stream string, ids []uint64) error {
	if len(ids) == 0 {
		return nil
	}
	if err := r.ensure(ctx, stream); err != nil {
		return err
	}
	for batch := range slices.Chunk(ids, batchSize) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.publish(longer, batch); err != nil {
			r.ensured[stream] = !errors.Is(err, jetstream.ErrNoStreamResponse)
			return err
		}
	}
	return nil
}

// ensure makes a stream where it has not been seen yet.
func (r *Relay) ensure(ctx context.Context, stream string) error {
	if r.ensured[stream] {
		return nil
	}
	err := ensureStream(ctx, r.jetStream, stream, r.replicas)
	if errors.Is(err, errOtherStream) {
		r.log.Warn("events are published to the stream as it is", "error", err)
		err = nil
	}
	r.ensured[stream] = err == nil
	return err
}

// publish publishes those of the events that no other relay has claimed, and notes which of them the stream has.
func (r *Relay) publish(ctx context.Context, ids []uint64) error {
	ctx, cancel := context.WithTimeout(ctx, batchPatience)
	defer cancel()
	var failure error
	err := r.db.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
		claimed, err := claim(ctx, tx, ids)
		if err != nil {
			return err
		}
		var published []uint64
		published, failure = r.send(ctx, claimed)
		return release(ctx, tx, published, r.now())
	})
	return errors.Join(err, failure)
}

// send publishes events and returns the ids of those that are in the stream, and why others are not.
func (r *Relay) send(ctx context.Context, events []stored) (published []uint64, failure error) {
	futures := make([]jetstream.PubAckFuture, 0, len(events))
	for _, event := range events {
		message := &nats.Msg{
			Subject: event.subject, Data: event.content, Header: nats.Header{"content-type": []string{contentType}},
		}
		future, err := r.jetStream.PublishMsgAsync(message, jetstream.WithMsgID(event.eventID), jetstream.WithExpectStream(streamOf(event.subject)))
		if err != nil {
			failure = fmt.Errorf("publish event %s: %w", event.eventID, err)
			future = nil
		}
		futures = append(futures, future)
	}
	for i, future := range futures {
		if future == nil {
			continue
		}
		select {
		case <-future.Ok():
			published = append(published, events[i].id)
		case err := <-future.Err():
			failure = fmt.Errorf("publish event %s: %w", events[i].eventID, err)
		case <-ctx.Done():
			return published, ctx.Err()
		}
	}
	return published, failure
}
