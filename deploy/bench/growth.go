package main

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"

	"oms.internal/libs/listing"

	"oms.internal/deploy/bench/internal/dataset"
	"oms.internal/deploy/bench/internal/report"
)

// growth measures the same requests on two systems, one with small data and one with large.
func (b *bench) growth(ctx context.Context, o options) (err error) {
	sizes := [2]dataset.Size{{Members: 5_000, Orders: 30_000}, {Members: 500_000, Orders: 3_000_000}}
	if b.quick {
		sizes[1] = dataset.Size{Members: 10_000, Orders: 60_000}
	}
	b.report.Members, b.report.Orders = sizes[1].Members, sizes[1].Orders
	var both [2]*bench
	for i, size := range sizes {
		one := *b
		if one.system, err = open(ctx, filepath.Join(o.data, size.String()), size, b.out); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, one.close()) }()
		if one.members, err = one.system.logIn(ctx); err != nil {
			return err
		}
		both[i] = &one
	}
	small, large := both[0], both[1]
	for _, what := range growing {
		row := report.Row{What: what.what + " at " + sizes[1].String(), Against: "at " + sizes[0].String(), Bar: 0.8}
		if err := b.compare(ctx, row, what.on(large), what.on(small)); err != nil {
			return err
		}
		if measured := b.report.Rows; b.wanted(row.What) {
			last := measured[len(measured)-1]
			b.report.Growth = append(b.report.Growth, report.Growth{What: what.what, Points: [][2]float64{
				{float64(small.size.Orders), report.Median(last.Limit)}, {float64(large.size.Orders), report.Median(last.Ours)},
			}})
		}
	}
	return nil
}

// growing are the requests whose rate must not depend on how much there is.
var growing = []struct {
	what string
	on   func(*bench) measure
}{
	{"own list", func(b *bench) measure { return b.fast("/orders/", connections, 5, b.members.five) }},
	{"first page of all orders", func(b *bench) measure { return b.fast("/orders/", connections, pageRows, b.members.admin) }},
	{"first page of members", func(b *bench) measure {
		return b.loop(connections, func(ctx context.Context, _, _ int) error { return b.memberPage(ctx, 0) })
	}},
	{"cursor page of all orders", func(b *bench) measure {
		place := strconv.Itoa(b.size.Orders / 2)
		cursor := listing.Cursor{Ordering: "id", Keys: []*string{&place}}
		return b.fast("/orders/?cursor="+cursor.String(), connections, pageRows, b.members.admin)
	}},
	{"an order", func(b *bench) measure { return b.one("/orders/", b.size.Orders) }},
	{"a member", func(b *bench) measure { return b.one("/accounts/users/", b.size.Members) }},
}

// one measures the detail of one thing out of very many.
func (b *bench) one(path string, count int) measure {
	return b.loop(connections, func(ctx context.Context, worker, turn int) error {
		id := 1 + (worker*104_729+turn*7_919)%count
		var got struct{ ID int }
		_, err := b.demand(ctx, request{method: "GET", path: path + strconv.Itoa(id), token: b.members.admin}, 200, &got)
		if err == nil && got.ID != id {
			err = errors.New("another thing was answered")
		}
		return err
	})
}
