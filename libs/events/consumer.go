package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/pace"
)

const (
	// ackWait is when JetStream gives an event of which it hears nothing to another instance.
	ackWait = 10 * time.Second
	// handlePatience is for one run of the function.
	handlePatience = 5 * time.Second
	// fetched is how many events an instance has at hand. With an instance that is killed, they wait for ackWait.
	fetched       = 16
	pullExpiry    = 10 * time.Second
	pullHeartbeat = 2 * time.Second
	drainTime     = 500 * time.Millisecond
	// A refused event comes again after a second, then after twice as long each time, up to ten minutes. A day of that is
	// time enough to mend a function; after it the event is given up. Its age alone would not do, since a consumer may begin
	// after a day's rest, nor the number of tries, since deliveries during an outage count among them. Only both together, a
	// long outage and an old event, can end one early.
	firstDelay  = time.Second
	longestWait = 10 * time.Minute
	mostTries   = 150
	refusalTime = 24 * time.Hour
	// While the database is away, an event is tried in place for as long as one primary may take to follow another, then
	// put back for at most outageDelay.
	outagePatience = 10 * time.Second
	outageDelay    = time.Minute
	// inboxTime is longer than the stream keeps events, so that even a consumer that begins anew does nothing twice.
	inboxTime = streamTime + 24*time.Hour
)

// ConsumerOptions say what to consume.
type ConsumerOptions struct {
	// Durable is the name under which JetStream and the inbox remember what was consumed, another one for each consumer.
	// Instances of a service share it, and each event goes to one of them.
	Durable string
	// Subject is what SubjectOf or AuditSubjectOf gives.
	Subject string
	// Replicas is how many servers keep the stream, where the consumer is the first to need it. 0 stands for 1.
	Replicas int
	Log      *slog.Logger
	Now      func() time.Time // nil stands for time.Now
}

// Consumer hands events to a function.
type Consumer struct {
	db        Database
	conn      *nats.Conn
	durable   string
	subject   string
	replicas  int
	handle    func(context.Context, mysqlx.Writer, Event) error
	log       *slog.Logger
	now       func() time.Time
	consuming state
	storing   state
	// How soon a refused event comes again, and when it is given up.
	ackWait     time.Duration
	firstDelay  time.Duration
	mostTries   uint64
	refusalTime time.Duration
	endPatience time.Duration
}

// NewConsumer returns a consumer that is not running yet. It calls handle for one event after the other. What handle does in the transaction is
// committed with the note that the event was handled, or not at all. It may be run again, so what it does elsewhere must be
// repeatable. An error has the event
// delivered again later; meanwhile others are handled. That the database is away is no error of handle: then the
// consumer waits.
func NewConsumer(db Database, conn *nats.Conn, options ConsumerOptions,
	handle func(context.Context, mysqlx.Writer, Event) error,
) *Consumer {
	return &Consumer{
		db: db, conn: conn, durable: options.Durable, subject: options.Subject, replicas: options.Replicas,
		handle: handle, log: options.Log, now: orTimeNow(options.Now),
		consuming: state{log: options.Log, work: "consuming of events"},
		storing:   state{log: options.Log, work: "handling of events"},
		ackWait:   ackWait, firstDelay: firstDelay, mostTries: mostTries, refusalTime: refusalTime, endPatience: endPatience,
	}
}

// Run consumes until ctx ends, and finishes the event that it has begun if that takes no longer than endPatience. Whatever fails
// meanwhile, it goes on.
func (c *Consumer) Run(ctx context.Context) error {
	stream, err := jetstream.New(c.conn)
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}
	var cleaning sync.WaitGroup
	defer cleaning.Wait()
	cleaning.Go(func() {
		cleanRegularly(ctx, c.log, c.now, inboxTime, func(ctx context.Context, before time.Time) error {
			return cleanInbox(ctx, c.db, c.durable, before)
		})
	})
	for ctx.Err() == nil {
		err := c.consume(ctx, stream)
		if ctx.Err() == nil {
			c.consuming.note(err)
			_ = pace.Wait(ctx, failurePause)
		}
	}
	return nil
}

// Healthy returns nil while events are consumed. It is for lifecycle.Part.
func (c *Consumer) Healthy() error { return errors.Join(c.consuming.get(), c.storing.get()) }

// consume makes the stream and the consumer, unless they exist, and handles its events until something fails or ctx ends.
func (c *Consumer) consume(ctx context.Context, stream jetstream.JetStream) error {
	if !c.conn.IsConnected() {
		return errNotConnected
	}
	err := ensureStream(ctx, stream, streamOf(c.subject), c.replicas)
	if err != nil && !errors.Is(err, errOtherStream) {
		return fmt.Errorf("consumer %s: %w", c.durable, err)
	}
	consumer, err := c.create(ctx, stream)
	if err != nil {
		return fmt.Errorf("consumer %s: %w", c.durable, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(fetched), jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	c.consuming.note(nil)
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if ctx.Err() != nil {
			if err == nil {
				c.acknowledge(message.Nak())
			}
			c.giveBack(messages)
			return nil
		}
		if err != nil {
			return err
		}
		c.take(ctx, message)
	}
}

func (c *Consumer) create(ctx context.Context, stream jetstream.JetStream) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, apiPatience)
	defer cancel()
	return stream.CreateOrUpdateConsumer(ctx, streamOf(c.subject), jetstream.ConsumerConfig{
		Durable:       c.durable,
		FilterSubject: c.subject,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       c.ackWait,
		MaxDeliver:    -1, // take counts, and says so when it gives an event up
		MaxAckPending: -1, // refused events that wait must not keep new ones from coming
	})
}

// giveBack has another instance handle at once what was fetched, but not begun.
func (c *Consumer) giveBack(messages jetstream.MessagesContext) {
	messages.Drain()
	for {
		message, err := messages.Next(jetstream.NextMaxWait(drainTime))
		if err != nil {
			break
		}
		c.acknowledge(message.Nak())
	}
	if c.conn.IsConnected() {
		c.acknowledge(c.conn.FlushTimeout(drainTime))
	}
}

// acknowledge notes that the outcome of an event was not told. It is harmless: the event comes again, and the inbox
// knows it.
func (c *Consumer) acknowledge(err error) {
	if err != nil {
		c.log.Debug("an event may be delivered again", "error", err)
	}
}

// take handles one event and tells JetStream of it.
func (c *Consumer) take(ctx context.Context, message jetstream.Msg) {
	event, err := parse(message.Data())
	if err != nil {
		c.log.Error("what cannot be read as an event is given up", "subject", message.Subject(), "error", err)
		c.acknowledge(message.Term())
		return
	}
	err = c.onceThroughOutages(ctx, event, message)
	switch tries, age := c.history(message); {
	case err == nil:
		c.acknowledge(message.Ack())
	case ctx.Err() != nil:
		c.acknowledge(message.Nak())
	case isOutage(err):
		c.acknowledge(message.NakWithDelay(min(c.delay(tries), outageDelay)))
	case tries >= c.mostTries && age >= c.refusalTime:
		c.log.Error("an event is given up", "event", event.ID, "type", event.Type, "tries", tries, "error", err)
		c.acknowledge(message.Term())
	default:
		delay := c.delay(tries)
		c.log.Warn("an event was not handled and comes again", "event", event.ID, "type", event.Type, "after", delay, "error", err)
		c.acknowledge(message.NakWithDelay(delay))
	}
}

// onceThroughOutages waits for the database, within bounds: a function that is too slow for its time looks the same.
func (c *Consumer) onceThroughOutages(ctx context.Context, event Event, message jetstream.Msg) error {
	outage, cancel := context.WithTimeout(ctx, outagePatience)
	defer cancel()
	for {
		err := c.once(ctx, event)
		if !isOutage(err) {
			c.storing.note(nil)
			return err
		}
		c.storing.note(err)
		c.acknowledge(message.InProgress())
		if pace.Wait(outage, failurePause) != nil {
			return err
		}
	}
}

// history is how often the event has been delivered, this time included, and how long ago it was published.
func (c *Consumer) history(message jetstream.Msg) (tries uint64, age time.Duration) {
	metadata, err := message.Metadata()
	if err != nil {
		return 1, 0
	}
	return metadata.NumDelivered, c.now().Sub(metadata.Timestamp)
}

// delay is how long an event waits that was refused so often.
func (c *Consumer) delay(tries uint64) time.Duration {
	delay := c.firstDelay
	for ; tries > 1 && delay < longestWait; tries-- {
		delay *= 2
	}
	return min(delay, longestWait)
}

// isOutage reports whether the database is the reason, and not the event.
func isOutage(err error) bool {
	return fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) || fault.Is(err, fault.OutcomeUnknown)
}

// once has the event take effect, unless it has already.
func (c *Consumer) once(ctx context.Context, event Event) error {
	ctx, end := outlive(ctx, c.endPatience)
	defer end()
	ctx, cancel := context.WithTimeout(ctx, handlePatience)
	defer cancel()
	return c.db.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) (err error) {
		isNew, err := remember(ctx, tx, c.durable, event.ID, c.now())
		if err != nil || !isNew {
			return err
		}
		defer func() {
			if cause := recover(); cause != nil {
				err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
			}
		}()
		return c.handle(ctx, tx, event)
	})
}
