package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"oms.internal/deploy/bench/internal/dataset"
	"oms.internal/deploy/bench/internal/load"
	"oms.internal/deploy/bench/internal/report"
)

const placeRow = "POST /orders/"

// writes places orders as fast as it goes, without keys and with them.
func (b *bench) writes(ctx context.Context) error {
	bare, err := b.bare("PRIMARY_PORT", "orders", connections)
	if err != nil {
		return err
	}
	defer bare.Close() //nolint:errcheck // nothing is lost
	for _, withKey := range []bool{false, true} {
		row := report.Row{What: placeRow, Against: "the same transaction by a bare Go program", Bar: 0.55}
		if withKey {
			row.What += " with Idempotency-Key"
		}
		err := b.compare(ctx, row,
			func(ctx context.Context) (rate float64, err error) {
				err = b.checked(ctx, func(orders *placed) error {
					rate, err = load.Loop(ctx, connections, b.lasting, func(ctx context.Context, worker, _ int) error {
						return orders.place(ctx, b.members.writers[worker], withKey)
					})
					return err
				})
				return rate, err
			},
			b.loop(connections, func(ctx context.Context, worker, _ int) error {
				return placeOrder(ctx, bare, b.size.Members-worker, "bare "+rand.Text(), withKey)
			}))
		if err != nil {
			return err
		}
	}
	return nil
}

// placed are orders that were acknowledged. Their products begin with a mark that no other orders have, and are of a number of kinds, because
// the products of a shop are ordered many times.
type placed struct {
	*system
	mark  string
	count atomic.Int64

	mutex sync.Mutex
	// keyed are some that were placed with a key.
	keyed []keyed
}

type keyed struct {
	id      uint64
	request request
}

const kinds = 100

func (p *placed) product(number int64) string { return p.mark + strconv.FormatInt(number%kinds, 10) }

func (p *placed) next(token string) request {
	return request{method: http.MethodPost, path: "/orders/", token: token, body: map[string]string{"product_name": p.product(p.count.Load())}}
}

// place places an order.
func (p *placed) place(ctx context.Context, token string, withKey bool) error {
	r := p.next(token)
	if withKey {
		r.key = rand.Text()
	}
	id, err := p.order(ctx, r)
	if err != nil || !withKey {
		return err
	}
	const some = 20
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.keyed) < some {
		p.keyed = append(p.keyed, keyed{id, r})
	}
	return nil
}

func (p *placed) order(ctx context.Context, r request) (uint64, error) {
	var got struct{ ID uint64 }
	if _, err := p.demand(ctx, r, http.StatusCreated, &got); err != nil {
		return 0, err
	}
	p.count.Add(1)
	return got.ID, nil
}

// checked has orders placed while a member looks whether promises hold: that it sees each order of its own at once, and that a session is
// refused within a second after its end. Afterwards there must be as many orders as were acknowledged, and a repetition under the same key
// must place none.
func (b *bench) checked(ctx context.Context, place func(*placed) error) error {
	orders := &placed{system: b.system, mark: "bench " + rand.Text()[:8] + " "}
	watching, stop := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- orders.watch(watching, b.size.Members-writing) }()
	err := place(orders)
	stop()
	if err := errors.Join(err, <-watched); err != nil {
		return err
	}
	for _, one := range orders.keyed {
		var got struct{ ID uint64 }
		answered, err := b.demand(ctx, one.request, http.StatusCreated, &got)
		if err != nil {
			return err
		}
		if got.ID != one.id || answered.header.Get("Idempotency-Replayed") != "true" {
			return fmt.Errorf("a repeated request was answered with order %d instead of %d", got.ID, one.id)
		}
	}
	var rows int64
	if err := b.primary.QueryRowContext(ctx, "SELECT COUNT(*) FROM orders.orders WHERE id > ? AND product_name LIKE CONCAT(?, '%')",
		b.size.Orders, orders.mark).Scan(&rows); err != nil {
		return err
	}
	if rows != orders.count.Load() {
		return fmt.Errorf("%d orders were acknowledged, and there are %d", orders.count.Load(), rows)
	}
	return nil
}

// watch looks ten times a second until ctx ends, whose end is no error.
func (p *placed) watch(ctx context.Context, member int) error {
	// What has begun is finished, because an order that is given up may have been placed.
	working := context.WithoutCancel(ctx)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	token, err := p.token(working, member)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		id, err := p.order(working, p.next(token))
		if err != nil {
			return err
		}
		var got page
		if _, err := p.demand(working, request{method: http.MethodGet, path: "/orders/?ordering=-id&limit=1", token: token}, http.StatusOK, &got); err != nil {
			return err
		}
		if len(got.Results) != 1 || got.Results[0].ID != id {
			return fmt.Errorf("member %d does not see its order %d", member, id)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	return p.refusedAfterLogout(working, token)
}

// refusedAfterLogout logs out while the system is busy.
func (p *placed) refusedAfterLogout(ctx context.Context, token string) error {
	if _, err := p.demand(ctx, request{method: http.MethodPost, path: "/auth/logout", token: token}, http.StatusNoContent, nil); err != nil {
		return err
	}
	for ended := time.Now(); ; {
		asked := time.Now()
		got, err := p.send(ctx, request{method: http.MethodGet, path: "/orders/", token: token})
		switch {
		case err != nil:
			return err
		case got.status == http.StatusUnauthorized:
			return nil
		case asked.Sub(ended) > time.Second:
			return fmt.Errorf("a second after the logout the token is still answered with %d", got.status)
		}
	}
}

// logins logs members in, each a different one.
func (b *bench) logins(ctx context.Context) error {
	next := atomic.Int64{}
	return b.compare(ctx, report.Row{What: "POST /auth/login", Against: "argon2id in a bare loop on all cores", Bar: 0.90},
		b.loop(slowly, func(ctx context.Context, _, _ int) error {
			const first = 1000
			_, err := b.token(ctx, first+int(next.Add(1))%(b.size.Members-2*first))
			return err
		}),
		b.loop(cores, func(_ context.Context, worker, turn int) error {
			dataset.Hash(dataset.Password, [16]byte{byte(worker), byte(turn), byte(turn >> 8)})
			return nil
		}))
}
