package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"oms.internal/deploy/bench/internal/load"
	"oms.internal/deploy/bench/internal/report"
)

// latencies measures the 99th percentile at half of the highest rate that this run saw.
func (b *bench) latencies(ctx context.Context) error {
	var turn atomic.Int64
	ask := func(path func(int) string, tokens ...string) vegeta.Targeter {
		return func(target *vegeta.Target) error {
			i := int(turn.Add(1))
			*target = load.Target(http.MethodGet, b.url+path(i), tokens[i%len(tokens)], nil)
			return nil
		}
	}
	for _, one := range []struct {
		what   string
		status int
		most   float64
		next   vegeta.Targeter
	}{
		{ownListRow, http.StatusOK, 20, ask(func(int) string { return "/orders/" }, b.members.four...)},
		{memberPageRow, http.StatusOK, 20, ask(func(i int) string { return memberPath(memberOffset(i)) }, b.members.admin)},
		{placeRow, http.StatusCreated, 40, nil},
	} {
		row := report.Row{What: "p99 of " + one.what + " at half the rate", Unit: "ms", Bar: one.most, AtMost: true}
		if !b.wanted(row.What) || !b.wanted(one.what) {
			continue
		}
		rate := b.rates[one.what] / 2
		if rate == 0 {
			if err := b.wrong(ctx, row, errors.New("the highest rate was not measured")); err != nil {
				return err
			}
			continue
		}
		row.Note = fmt.Sprintf("%.0f/s were offered at a constant rate", rate)
		var problem error
		for range b.repeat {
			answers, err := b.offer(ctx, rate, one.status, one.next)
			if err != nil {
				problem = err
				break
			}
			row.Ours = append(row.Ours, milliseconds(answers.P99))
		}
		if problem == nil {
			b.add(row)
		} else if err := b.wrong(ctx, row, problem); err != nil {
			return err
		}
	}
	return nil
}

// offer offers requests at a rate, each of which must be answered with a status, and whole but for one in a hundred. Without a request it
// places orders.
func (b *bench) offer(ctx context.Context, rate float64, status int, next vegeta.Targeter) (answers load.Answers, err error) {
	partial := 0
	note := func(result *vegeta.Result) error {
		if int(result.Code) != status {
			return fmt.Errorf("%d %s%.100s", result.Code, result.Error, result.Body)
		}
		if result.Headers.Get(headerPartial) != "" {
			partial++
		}
		return nil
	}
	if next != nil {
		all, err := load.Constant(ctx, rate, 2*b.lasting, next, note)
		if err == nil && 100*partial > all[status].Count {
			err = fmt.Errorf("%d of %d answers went without a part", partial, all[status].Count)
		}
		return all[status], err
	}
	err = b.checked(ctx, func(orders *placed) error {
		var turn atomic.Int64
		all, err := load.Constant(ctx, rate, 2*b.lasting, func(target *vegeta.Target) error {
			i := turn.Add(1)
			*target = load.Target(http.MethodPost, b.url+"/orders/", b.members.writers[i%writing], fmt.Appendf(nil, `{"product_name":%q}`, orders.product(i)))
			return nil
		}, note)
		answers = all[status]
		orders.count.Add(int64(answers.Count))
		return err
	})
	return answers, err
}

// curves measures rates and latencies for the drawings: ever more who ask at the same time.
func (b *bench) curves(ctx context.Context) error {
	if !b.wanted("curves") {
		return nil
	}
	list, place := report.Curve{What: "GET /orders/ (own)"}, report.Curve{What: placeRow}
	for connections := 1; connections <= 64; connections *= 2 {
		measured, err := b.wrk(ctx, "/orders/", connections, 4, b.members.four...)
		if err != nil {
			return err
		}
		list.Points = append(list.Points, point(connections, measured))
	}
	for connections := 1; connections <= 32; connections *= 2 {
		var measured load.Measured
		err := b.checked(ctx, func(orders *placed) (err error) {
			measured, err = load.Timed(ctx, connections, b.lasting, func(ctx context.Context, worker, _ int) error {
				return orders.place(ctx, b.members.writers[worker%writing], false)
			})
			return err
		})
		if err != nil {
			return err
		}
		place.Points = append(place.Points, point(connections, measured))
	}
	b.report.Curves = []report.Curve{list, place}
	return nil
}

func point(connections int, measured load.Measured) report.Point {
	return report.Point{
		Connections: connections, Rate: measured.Rate, P50: milliseconds(measured.P50), P99: milliseconds(measured.P99),
	}
}

func milliseconds(duration time.Duration) float64 {
	return float64(duration) / float64(time.Millisecond)
}
