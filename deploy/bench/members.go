package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"oms.internal/deploy/bench/internal/dataset"
	"oms.internal/deploy/bench/internal/load"
)

// members are those who ask, by their tokens.
type members struct {
	admin, great, large string
	// five has five orders.
	five string
	// four are some who have four orders each.
	four []string
	// writers place orders, and nobody looks at their lists. Their ids are the highest.
	writers []string
}

const (
	askers  = 16
	writing = 16
)

// logIn logs everybody in who is needed.
func (b *bench) logIn(ctx context.Context) (err error) {
	b.members, err = b.system.logIn(ctx)
	return err
}

func (s *system) logIn(ctx context.Context) (m members, err error) {
	withOrders := func(count, most int) (ids []int, err error) {
		rows, err := s.primary.QueryContext(ctx, `SELECT customer_id FROM orders.orders WHERE customer_id BETWEEN 4 AND 1000
			GROUP BY customer_id HAVING COUNT(*) = ? ORDER BY customer_id LIMIT ?`, count, most)
		if err != nil {
			return nil, err
		}
		defer rows.Close() //nolint:errcheck // rows.Err reports errors
		for rows.Next() {
			var id int
			if err := rows.Scan(&id); err != nil {
				return nil, err
			}
			ids = append(ids, id)
		}
		return ids, rows.Err()
	}
	four, err := withOrders(4, askers)
	if err != nil {
		return m, err
	}
	five, err := withOrders(5, 1)
	if err != nil {
		return m, err
	}
	ids := append(append([]int{dataset.Admin, dataset.Great, dataset.Large}, five...), four...)
	for i := range writing {
		ids = append(ids, s.size.Members-i)
	}
	if len(ids) != 4+askers+writing {
		return m, fmt.Errorf("the data set lacks customers: %v", ids)
	}
	tokens := make([]string, len(ids))
	for i, id := range ids {
		if tokens[i], err = s.token(ctx, id); err != nil {
			return m, err
		}
	}
	return members{
		admin: tokens[0], great: tokens[1], large: tokens[2], five: tokens[3],
		four: tokens[4 : 4+askers], writers: tokens[4+askers:],
	}, nil
}

// token logs a member in. A login without the member's last order is one all the same.
func (s *system) token(ctx context.Context, id int) (string, error) {
	var got struct{ Token string }
	login := map[string]string{"email": dataset.Email(id), "password": dataset.Password}
	answered, err := s.demand(ctx, request{method: http.MethodPost, path: "/auth/login", body: login}, http.StatusOK, &got)
	if errors.Is(err, load.ErrPartial) {
		err = json.Unmarshal(answered.body, &got)
	}
	return got.Token, err
}
