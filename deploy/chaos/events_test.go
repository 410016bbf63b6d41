package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
)

// event is what is looked at of a CloudEvent.
type event struct {
	ID      string
	Type    string
	Subject string
}

// held is what the streams hold: OMS_EVENTS, and of OMS_AUDIT the number, because nobody but accounts may read it.
type held struct {
	copies map[string]int                 // of each event, by id
	about  map[string]map[string][]string // ids by type and subject
	audits uint64
}

func readStreams(t *testing.T) held {
	t.Helper()
	password, err := world.Secret("nats-ops")
	require.NoError(t, err)
	conn, err := nats.Connect("nats://"+world.Address("NATS_PORT"), nats.UserInfo("ops", password), nats.CustomInboxPrefix("_INBOX_ops"))
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	source, err := js.Stream(t.Context(), "OMS_EVENTS")
	require.NoError(t, err)
	state := source.CachedInfo().State
	found := held{copies: map[string]int{}, about: map[string]map[string][]string{}}
	for number := state.FirstSeq; number <= state.LastSeq; number++ {
		message, err := source.GetMsg(t.Context(), number)
		require.NoError(t, err)
		var e event
		require.NoError(t, json.Unmarshal(message.Data, &e))
		found.copies[e.ID]++
		if found.about[e.Type] == nil {
			found.about[e.Type] = map[string][]string{}
		}
		found.about[e.Type][e.Subject] = append(found.about[e.Type][e.Subject], e.ID)
	}
	audits, err := js.Stream(t.Context(), "OMS_AUDIT")
	require.NoError(t, err)
	found.audits = audits.CachedInfo().State.Msgs
	return found
}

// outbox reads the ids of the events that a service has written for the stream OMS_EVENTS.
func (d *databases) outbox(ctx context.Context, schema string) (ids []string, err error) {
	primary, err := d.primary(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := d.roots[primary].QueryContext(ctx, "SELECT event_id FROM "+schema+".outbox WHERE subject LIKE 'oms.events.%'")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// number reads one number from the primary.
func (d *databases) number(ctx context.Context, query string, arguments ...any) (number int, err error) {
	primary, err := d.primary(ctx)
	if err != nil {
		return 0, err
	}
	err = d.roots[primary].QueryRowContext(ctx, query, arguments...).Scan(&number)
	return number, err
}

// TestEveryEventArrivesOnceInEffect kills, in turn, all that events go through: both instances of orders (each has a
// relay and a consumer), the relay and the consumers of accounts, and NATS. Meanwhile orders are made, and members ask for an order of
// somebody else, which orders audits, and delete themselves.
func TestEveryEventArrivesOnceInEffect(t *testing.T) {
	ctx := t.Context()
	kills := share(t, variableKills, 1)
	running := startLoad(t, newMembers(t, crew()/2), share(t, variableRate, 60))
	parts := []func(context.Context) (time.Time, error){
		killed(always(world.orders[0])), killed(always(world.nats)), killed(always(world.accounts[0])), killed(always(world.orders[1])),
	}
	if whole() {
		// What an outbox says about itself must survive the loss of the server that it is on, too.
		parts = append(parts, failover(body.Kill))
	}
	const each = 5
	leavers := newMembers(t, each*kills*len(parts))
	left := &leavings{}
	for i := range kills * len(parts) {
		running.awaitCalm(t, time.Now())
		others, err := world.databases.lastOrder(ctx)
		require.NoError(t, err)
		var leaving sync.WaitGroup
		for _, m := range leavers[each*i : each*(i+1)] {
			leaving.Go(func() {
				m.peek(ctx, others)
				left.add(m, m.leave(ctx))
			})
		}
		_, err = parts[i%len(parts)](ctx)
		require.NoError(t, err)
		leaving.Wait()
	}
	running.end()
	require.NoError(t, world.whole(ctx))
	result := running.verify(t)
	result.requireNone(t)
	awaitPublished(t)

	events := readStreams(t)
	requireAllOnce(t, events)
	created := events.about["oms."+orders.Service+"."+orders.EventCreated+".v1"]
	for product, told := range running.journal.acknowledged {
		require.Len(t, created[strconv.FormatUint(told.id, 10)], 1, "the events of %s, order %d", product, told.id)
	}
	deleted := events.about["oms."+accounts.Service+"."+accounts.EventDeleted+".v1"]
	for _, id := range left.told {
		require.Len(t, deleted[strconv.FormatUint(id, 10)], 1, "the events of member %d", id)
	}
	requireHandledOnce(t, len(deleted))
	requireAuditedOnce(t, events)
	t.Logf("%d kills, %d audit events, %d events in the stream, of them %d of %d acknowledged orders and %d of %d members who were told that they left",
		kills*len(parts), events.audits, len(events.copies), len(running.journal.acknowledged), len(running.journal.acknowledged), len(left.told), len(leavers))
}

// leavings are the members who were told that they are gone.
type leavings struct {
	mutex sync.Mutex
	told  []uint64
}

func (l *leavings) add(m *member, told bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if told {
		l.told = append(l.told, m.id)
	}
}

// peek asks for an order of somebody else. Nobody counts on an answer.
func (m *member) peek(ctx context.Context, order uint64) {
	_, _ = m.send(ctx, http.MethodGet, fmt.Sprintf("%s/orders/%d", m.gateways[0], order), nil, nil)
}

// leave deletes the member; true means that it was told so.
func (m *member) leave(ctx context.Context) bool {
	for try := 0; try <= retries; try++ {
		got, err := m.send(ctx, http.MethodDelete, fmt.Sprintf("%s/accounts/users/%d", m.gateways[0], m.id), nil, nil)
		if err == nil && got.status == http.StatusNoContent {
			return true
		}
		if !rest(ctx, 200*time.Millisecond) {
			break
		}
	}
	return false
}

// awaitPublished waits until no event waits in an outbox.
func awaitPublished(t *testing.T) {
	t.Helper()
	err := await(t.Context(), time.Minute, func(ctx context.Context) error {
		for _, schema := range []string{"orders", "accounts"} {
			waiting, err := world.databases.number(ctx, "SELECT COUNT(*) FROM "+schema+".outbox WHERE published_at IS NULL")
			if err != nil {
				return err
			}
			if waiting > 0 {
				return fmt.Errorf("%d events wait in the outbox of %s", waiting, schema)
			}
		}
		return nil
	})
	require.NoError(t, err)
}

// requireAllOnce holds that what stands in the outboxes is in the streams, once, and nothing else is.
func requireAllOnce(t *testing.T, events held) {
	t.Helper()
	written := 0
	for _, schema := range []string{"orders", "accounts"} {
		ids, err := world.databases.outbox(t.Context(), schema)
		require.NoError(t, err)
		for _, id := range ids {
			require.Equal(t, 1, events.copies[id], "copies of event %s of %s", id, schema)
		}
		written += len(ids)
	}
	require.Len(t, events.copies, written, "the stream holds what was written, and no more")
	audits, err := world.databases.number(t.Context(), "SELECT COUNT(*) FROM orders.outbox WHERE subject LIKE 'oms.audit.%'")
	require.NoError(t, err)
	require.NotZero(t, audits)
	require.EqualValues(t, audits, events.audits, "the stream of audit events holds what was written, and no more")
}

// requireHandledOnce waits until orders has learnt of all members that are gone, and holds that it did so once for each.
func requireHandledOnce(t *testing.T, deleted int) {
	t.Helper()
	handled := func(ctx context.Context) error {
		inbox, inboxErr := world.databases.number(ctx, "SELECT COUNT(*) FROM orders.inbox")
		former, formerErr := world.databases.number(ctx, "SELECT COUNT(*) FROM orders.former_customers")
		if err := errors.Join(inboxErr, formerErr); err != nil {
			return err
		}
		if inbox != deleted || former != deleted {
			return fmt.Errorf("%d members are gone; orders has handled %d events and knows of %d", deleted, inbox, former)
		}
		return nil
	}
	require.NoError(t, await(t.Context(), time.Minute, handled))
	rest(t.Context(), time.Second)
	require.NoError(t, handled(t.Context()), "nothing is handled again later")
}

// requireAuditedOnce waits until accounts has handled each audit event in the outbox of orders, and holds that it wrote each down once.
func requireAuditedOnce(t *testing.T, events held) {
	t.Helper()
	handled := func(ctx context.Context) error {
		inbox, inboxErr := world.databases.number(ctx, "SELECT COUNT(*) FROM accounts.inbox JOIN orders.outbox USING (event_id)")
		written, writtenErr := world.databases.number(ctx, "SELECT COUNT(*) FROM accounts.audit_events WHERE detail LIKE '%/orders%'")
		if err := errors.Join(inboxErr, writtenErr); err != nil {
			return err
		}
		if all := int(events.audits); inbox != all || written != all {
			return fmt.Errorf("orders audited %d times; accounts has handled %d events and written %d down", all, inbox, written)
		}
		return nil
	}
	require.NoError(t, await(t.Context(), time.Minute, handled))
	rest(t.Context(), time.Second)
	require.NoError(t, handled(t.Context()), "nothing is written down again later")
}
