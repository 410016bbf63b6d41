package chaos

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/systemtest"
)

// suffer lets the system suffer the fault under load, so many times, and looks at what is left.
func (f fault) suffer(t *testing.T) row {
	ctx := t.Context()
	result := row{fault: f.name, rounds: share(t, variableRounds, 1)}
	if f.prepare != nil {
		t.Cleanup(func() { require.NoError(t, f.restore(context.WithoutCancel(ctx))) })
		require.NoError(t, f.prepare(ctx))
	}
	members := newMembers(t, crew())
	began := time.Now()
	running := startLoad(t, members, share(t, variableRate, 60))
	for range result.rounds {
		running.awaitCalm(t, began)
		mark, err := f.strike(ctx)
		require.NoError(t, err)
		running.awaitCalm(t, mark)
		recovered, ok := running.journal.recovery(mark)
		require.True(t, ok, "a write succeeds again")
		result.recoveries = append(result.recoveries, recovered)
		require.NoError(t, world.whole(ctx))
	}
	running.end()
	result.seconds = time.Since(began).Seconds()
	result.journal, result.verdict = running.journal, running.verify(t)
	return result
}

// require fails the test unless the fault did what it may do at most.
func (f fault) require(t *testing.T, result row) {
	t.Helper()
	t.Logf("\n%s%s", table([]row{result}), strings.Join(result.journal.examples(5), "\n"))
	result.verdict.requireNone(t)
	if f.flawless {
		require.Zero(t, result.journal.count(failed), "requests fail: %v", result.journal.examples(10))
	}
	// The small share runs beside the tests of all other packages, and says nothing about times.
	if f.within > 0 && whole() {
		require.LessOrEqual(t, result.quantile(0.95), f.within, "p95 of the time to recover")
	}
}

// requireNone fails the test, with examples, unless everything is as it was promised.
func (v verdict) requireNone(t *testing.T) {
	t.Helper()
	for what, found := range map[string][]string{
		"lost": v.lost, "doubled": v.doubled, "stale": v.stale, "answered as nothing explains": v.unexpected,
	} {
		require.Empty(t, found[:min(len(found), 10)], "%s: %d", what, len(found))
	}
}

// awaitCalm waits until requests have gone well for a while that began after mark.
func (l *load) awaitCalm(t *testing.T, mark time.Time) {
	t.Helper()
	err := await(t.Context(), time.Minute, func(context.Context) error {
		if !l.journal.calm(mark, leastCalm(), leastWrites()) {
			return errors.New("requests still fail")
		}
		return nil
	})
	require.NoError(t, err, "%v", l.journal.examples(10))
}

// killed ends a body as a crash does, and starts it again after an outage.
func killed(find func(context.Context) (body, error)) func(context.Context) (time.Time, error) {
	return broken(find, body.Kill, body.Restart)
}

// stopped lets a body hang for an outage.
func stopped(find func(context.Context) (body, error)) func(context.Context) (time.Time, error) {
	return broken(find, body.Pause, func(one body, _ context.Context) error { return one.Continue() })
}

func broken(
	find func(context.Context) (body, error), breaks func(body) error, repairs func(body, context.Context) error,
) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		one, err := find(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if err := breaks(one); err != nil {
			return time.Time{}, err
		}
		rest(ctx, outage())
		mark := time.Now()
		return mark, repairs(one, ctx)
	}
}

// always finds the same body.
func always(one body) func(context.Context) (body, error) {
	return func(context.Context) (body, error) { return one, nil }
}

// terminated asks an instance to end, as a rolling update does, and starts it again.
func terminated(one *systemtest.Instance) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		if err := one.Terminate(ctx); err != nil {
			return time.Time{}, err
		}
		mark := time.Now()
		return mark, one.Restart(ctx)
	}
}

// failover does to the primary what happened to it, and then what an operator does: `make failover`, `make rejoin`. The
// time to recover counts from what happened.
func failover(happens func(primary body) error) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		databases := world.databases
		i, err := databases.primary(ctx)
		if err != nil {
			return time.Time{}, err
		}
		mark := time.Now()
		if happens != nil {
			if err := happens(databases.engine.server(i)); err != nil {
				return mark, err
			}
		}
		if err := databases.engine.failover(ctx); err != nil {
			return mark, err
		}
		// The load goes on against the new primary before the old one comes back.
		rest(ctx, outage())
		if happens != nil {
			if err := databases.engine.rejoin(ctx); err != nil {
				return mark, err
			}
		}
		return mark, databases.relink(ctx)
	}
}

// behind stops the replica from applying what it receives until it is so far behind.
func behind(lag time.Duration) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		mark := time.Now()
		if err := world.databases.applying(ctx, false); err != nil {
			return mark, err
		}
		rest(ctx, lag)
		return mark, world.databases.applying(ctx, true)
	}
}

// delay lets the replica apply what it receives so many seconds later, from now on.
func delay(seconds int) func(context.Context) error {
	return func(ctx context.Context) error {
		world.databases.delay = seconds
		return world.databases.relink(ctx)
	}
}

// slowed delays what the primary sends to the replica.
func slowed(latency time.Duration) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		mark := time.Now()
		i, err := world.databases.primary(ctx)
		if err != nil {
			return mark, err
		}
		between := world.links.replication[i]
		if err := between.disturb("latency", "downstream", 1, map[string]int64{"latency": latency.Milliseconds()}); err != nil {
			return mark, err
		}
		rest(ctx, latency+outage())
		between.heal(ctx)
		return mark, nil
	}
}

// cut resets a link for a second.
func cut(find func(context.Context) (*link, error)) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		between, err := find(ctx)
		if err != nil {
			return time.Time{}, err
		}
		err = between.reset(ctx, time.Second)
		return time.Now(), err
	}
}

// throughProxies restarts the gateways with proxies before the services. Otherwise there are none, because a proxy takes
// connections also for an instance that does not run, and so hides that it would have refused them.
func throughProxies(ctx context.Context) error {
	return world.redirect(ctx, addresses(world.links.accounts), addresses(world.links.orders))
}

func directly(ctx context.Context) error {
	return world.redirect(ctx, urls(world.accounts), urls(world.orders))
}

func (s *system) redirect(ctx context.Context, accounts, orders string) error {
	for _, gateway := range s.gateways {
		gateway.Change("ACCOUNTS_URL="+accounts, "ORDERS_URL="+orders)
		if err := errors.Join(gateway.Terminate(ctx), gateway.Restart(ctx)); err != nil {
			return err
		}
	}
	return nil
}

func addresses(all []*link) string {
	var urls []string
	for _, one := range all {
		urls = append(urls, "http://"+one.addr())
	}
	return strings.Join(urls, ",")
}
