package chaos

import (
	"context"
	"testing"
	"time"
)

// fault is one way to break the system.
type fault struct {
	name string
	// quick ones are in the small share.
	quick bool
	// prepare and restore, where they are there, put the system into the state that the fault needs, and back.
	prepare, restore func(ctx context.Context) error
	// strike breaks the system and repairs it. It returns the moment from which on the time to recover counts.
	strike func(ctx context.Context) (time.Time, error)
	// within is how long 95 % of the rounds may take to recover; 0 asks for nothing.
	within time.Duration
	// flawless faults may fail no request.
	flawless bool
}

// What the time to recover may be (95 % of the rounds).
const (
	failoverWithin = 10 * time.Second
	restartWithin  = 2 * time.Second
)

func faults() []fault {
	w := world
	replica := func(ctx context.Context) (body, error) {
		i, err := w.databases.replica(ctx)
		return w.databases.engine.server(i & 1), err
	}
	primary := func(ctx context.Context) (body, error) {
		i, err := w.databases.primary(ctx)
		return w.databases.engine.server(i & 1), err
	}
	list := []fault{
		{name: "kill replica", strike: killed(replica), within: restartWithin},
		{name: "kill NATS", strike: killed(always(w.nats)), within: restartWithin},
		{name: "kill orders", strike: killed(always(w.orders[0])), within: restartWithin},
		{name: "kill accounts", strike: killed(always(w.accounts[0])), within: restartWithin},
		{name: "kill gateway", strike: killed(always(w.gateways[0])), within: restartWithin},
		{name: "kill all orders", quick: true, strike: killed(always(group(w.orders))), within: restartWithin},
		{name: "kill all accounts", strike: killed(always(group(w.accounts))), within: restartWithin},
		{name: "kill all gateways", strike: killed(always(group(w.gateways))), within: restartWithin},
		{name: "stop replica", strike: stopped(replica)},
		{name: "stop NATS", strike: stopped(always(w.nats))},
		{name: "stop orders", strike: stopped(always(w.orders[0]))},
		{name: "stop accounts", strike: stopped(always(w.accounts[0]))},
		{name: "stop gateway", strike: stopped(always(w.gateways[0]))},
		{name: "stop primary", strike: stopped(primary)},
		{name: "kill primary, restart", strike: killed(primary), within: failoverWithin},
		{name: "kill primary, failover", quick: true, strike: failover(body.Kill), within: failoverWithin},
		{name: "stop primary, failover", strike: failover(body.Pause), within: failoverWithin},
		{name: "planned failover", strike: failover(nil), within: failoverWithin},
		{name: "replica 5 s behind", strike: behind(5 * time.Second), flawless: true},
		{name: "SIGTERM orders", quick: true, strike: terminated(w.orders[1]), flawless: true, within: restartWithin},
		{name: "SIGTERM accounts", strike: terminated(w.accounts[1]), flawless: true, within: restartWithin},
		{name: "SIGTERM gateway", quick: true, strike: terminated(w.gateways[1]), flawless: true, within: restartWithin},
	}
	if w.databases.proxied() {
		list = append(list, fault{name: "5 s to the replica", strike: slowed(5 * time.Second)},
			fault{name: "reset replica-primary", strike: cut(role(w.links.replication, w.databases.primary)), within: restartWithin})
	}
	return append(append(list, resets()...), delayed(list)...)
}

// delayed are faults while the replica is a second behind all the time: it still serves reads, and must not serve those of
// members who know better.
func delayed(list []fault) []fault {
	names := map[string]bool{
		"kill gateway": true, "kill all gateways": true, "kill orders": true, "kill all orders": true, "kill NATS": true,
		"stop NATS": true, "stop orders": true,
		"kill primary, failover": true, "planned failover": true, "SIGTERM gateway": true, "SIGTERM orders": true,
	}
	var chosen []fault
	for _, f := range list {
		if names[f.name] {
			f.quick = f.name == "kill gateway"
			f.name, f.prepare, f.restore = f.name+", 1 s behind", delay(1), delay(0)
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// resets cut the links between any two parts.
func resets() []fault {
	l := world.links
	fixed := func(one *link) func(context.Context) (*link, error) {
		return func(context.Context) (*link, error) { return one, nil }
	}
	return []fault{
		{name: "reset services-primary", strike: cut(role(l.database, world.databases.primary)), within: restartWithin},
		{name: "reset services-replica", strike: cut(role(l.database, world.databases.replica)), within: restartWithin},
		{name: "reset services-NATS", strike: cut(fixed(l.natsOfServices)), within: restartWithin},
		{name: "reset gateways-NATS", strike: cut(fixed(l.natsOfGateways)), within: restartWithin},
		{name: "reset gateways-orders", prepare: throughProxies, restore: directly, strike: cut(fixed(l.orders[0])), within: restartWithin},
		{name: "reset gateways-accounts", prepare: throughProxies, restore: directly, strike: cut(fixed(l.accounts[0])), within: restartWithin},
	}
}

// role finds the link of the server that has a role now.
func role(of [2]*link, find func(context.Context) (int, error)) func(context.Context) (*link, error) {
	return func(ctx context.Context) (*link, error) {
		i, err := find(ctx)
		return of[i&1], err
	}
}

func TestNothingAcknowledgedIsLostDoubledOrStale(t *testing.T) {
	var rows []row
	for _, f := range faults() {
		if !f.quick && !whole() {
			continue
		}
		whole := t.Run(f.name, func(t *testing.T) {
			result := f.suffer(t)
			rows = append(rows, result)
			f.require(t, result)
		})
		// The next fault proves nothing on a system that is still broken by this one.
		if err := world.whole(t.Context()); !whole && err != nil {
			t.Errorf("after %q: %v", f.name, err)
			break
		}
	}
	t.Logf("\n%s", table(rows))
}
