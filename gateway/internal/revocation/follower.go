package revocation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
)

// pullInterval bounds, with usualTimeout, how long a revocation can stay unheard that was not pushed.
const pullInterval = 250 * time.Millisecond

// Options say whom a Follower hears and how old its knowledge may become.
type Options struct {
	Memory       *Memory
	Conn         *nats.Conn
	Ask          Ask
	MaxStaleness time.Duration
	Log          *slog.Logger
	Metrics      prometheus.Registerer
}

// Follower keeps a Memory up to date.
type Follower struct {
	*Memory
	options Options
	pulls   *prometheus.CounterVec

	sequence sequence
	missing  chan struct{}             // holds a value while a gap is to be filled
	pulled   atomic.Pointer[time.Time] // when the last complete pull began
	failing  atomic.Bool
}

// NewFollower returns a follower that works once Run has been called.
func NewFollower(options Options) *Follower {
	follower := &Follower{
		Memory: options.Memory, options: options, missing: make(chan struct{}, 1),
		pulls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_revocation_pulls_total",
			Help: "Requests to accounts for revocations, by outcome.",
		}, []string{"outcome"}),
	}
	options.Metrics.MustRegister(follower.pulls, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gateway_revocations",
		Help: "Revocations that are remembered.",
	}, func() float64 { return float64(follower.Len()) }), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gateway_revocation_staleness_seconds",
		Help: "Age of what is known about revocations.",
	}, follower.staleness))
	// The first pull may take its time: nobody is let in before it.
	follower.failing.Store(true)
	return follower
}

// Ready returns an error until all revocations have been received once.
func (f *Follower) Ready() error {
	if f.pulled.Load() == nil {
		return errors.New("revocations not received from accounts yet")
	}
	return nil
}

// Current returns an error while what is known is too old to let anyone in by, or not there at all.
func (f *Follower) Current() error {
	if err := f.Ready(); err != nil {
		return err
	}
	if age := f.age(*f.pulled.Load()); age > f.options.MaxStaleness {
		return fmt.Errorf("revocations are %s old", age.Round(time.Second))
	}
	return nil
}

// staleness is the age of what is known, in seconds: from the beginning of the last complete pull, since what was
// revoked during it may be missing.
func (f *Follower) staleness() float64 {
	pulled := f.pulled.Load()
	if pulled == nil {
		return math.Inf(1)
	}
	return f.age(*pulled).Seconds()
}

// age is the longer of what two clocks say: the monotonic one stands still while a machine sleeps, and the other one
// can be set back.
func (f *Follower) age(since time.Time) time.Duration {
	now := f.now()
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// Run follows until ctx ends. It does not fail while NATS or accounts is away.
func (f *Follower) Run(ctx context.Context) error {
	subscription, err := f.options.Conn.Subscribe(accounts.SubjectRevoked, func(message *nats.Msg) {
		if err := f.hear(message.Data); err != nil {
			f.options.Log.Error("published revocations", "error", err)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", accounts.SubjectRevoked, err)
	}
	defer func() { _ = subscription.Unsubscribe() }()
	f.poll(ctx)
	return nil
}

// poll asks at once, in each pullInterval, and whenever a gap shows, until ctx ends.
func (f *Follower) poll(ctx context.Context) {
	ticker := time.NewTicker(pullInterval)
	defer ticker.Stop()
	for {
		f.pullOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-f.missing:
		case <-ticker.C:
		}
	}
}

// ReadAnswer is a proxy.AnswerReader: it remembers what an answer of accounts says that its request has revoked.
func (f *Follower) ReadAnswer(_ authn.Principal, answer *fasthttp.ResponseHeader) error {
	for _, value := range answer.PeekAll(accounts.HeaderRevocations) {
		if err := f.hear(value); err != nil {
			return fmt.Errorf("header %s: %w", accounts.HeaderRevocations, err)
		}
	}
	return nil
}

// hear remembers the revocations in a message, and has a pull made at once if one before them was missed.
func (f *Follower) hear(body []byte) error {
	var message accounts.Revocations
	if err := json.Unmarshal(body, &message); err != nil {
		return fmt.Errorf("read revocations: %w", err)
	}
	f.Add(message.Revocations)
	if f.sequence.hear(message.Revocations) {
		select {
		case f.missing <- struct{}{}:
		default:
		}
	}
	return nil
}
