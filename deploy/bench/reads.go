package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"oms.internal/libs/listing"

	"oms.internal/deploy/bench/internal/dataset"
	"oms.internal/deploy/bench/internal/load"
	"oms.internal/deploy/bench/internal/report"
)

const (
	connections = 16
	// slowly is how many ask for what takes so long that more would only wait.
	slowly = 4
	// pageRows is how many rows a page has that names no limit.
	pageRows = 30
	// differentPages is how many pages of members are asked for in turn.
	differentPages = 100
)

// The rows that are measured at half of their highest rate, too.
const (
	ownListRow    = "GET /orders/ (own, 4 orders)"
	memberPageRow = "GET /accounts/users (30 members with last orders)"
)

// replicas opens both schemas on the replica, where the services read.
func (b *bench) replicas(connections int) (accounts, orders *sql.DB, err error) {
	accounts, accountsErr := b.bare("REPLICA_PORT", "accounts", connections)
	orders, ordersErr := b.bare("REPLICA_PORT", "orders", connections)
	return accounts, orders, errors.Join(accountsErr, ordersErr)
}

func (b *bench) reads(ctx context.Context) error {
	accounts, orders, err := b.replicas(connections)
	if err != nil {
		return err
	}
	defer accounts.Close() //nolint:errcheck // nothing is lost
	defer orders.Close()   //nolint:errcheck // nothing is lost
	customers, err := b.customersWithFour(ctx)
	if err != nil {
		return err
	}
	const same = "the same SQL by a bare Go program"
	err = b.compare(ctx, report.Row{What: ownListRow, Against: same, Bar: 0.50},
		b.fast("/orders/", connections, 4, b.members.four...),
		b.loop(connections, func(ctx context.Context, worker, turn int) error {
			return ownList(ctx, orders, customers[(worker+turn)%len(customers)], 4)
		}))
	if err != nil {
		return err
	}
	return b.compare(ctx, report.Row{What: memberPageRow, Against: same + ", without counting", Bar: 0.45}, b.memberPages,
		b.loop(connections, func(ctx context.Context, worker, turn int) error {
			return memberPage(ctx, accounts, orders, memberOffset(worker*37+turn))
		}))
}

// memberOffset is that of the page of members that is asked for in this turn.
func memberOffset(turn int) int { return pageRows * (turn % differentPages) }

// memberPages measures pages of members, each of which is looked at once before.
func (b *bench) memberPages(ctx context.Context) (float64, error) {
	var requests []load.Request
	for page := range differentPages {
		offset := memberOffset(page)
		if err := b.memberPage(ctx, offset); err != nil && !errors.Is(err, load.ErrPartial) {
			return 0, err
		}
		requests = append(requests, load.Request{Path: memberPath(offset), Token: b.members.admin})
	}
	measured, err := load.WRK(ctx, b.url, connections, b.lasting, requests, headerPartial)
	return measured.Rate, err
}

func memberPath(offset int) string { return "/accounts/users?offset=" + strconv.Itoa(offset) }

func (b *bench) memberPage(ctx context.Context, offset int) error {
	got, err := b.list(ctx, b.members.admin, memberPath(offset), pageRows)
	if err != nil {
		return err
	}
	if got.Count != b.size.Members {
		return fmt.Errorf("%d members are counted instead of %d", got.Count, b.size.Members)
	}
	for _, member := range got.Results {
		if member.LastOrder == nil {
			return fmt.Errorf("member %d has no last order", member.ID)
		}
	}
	return nil
}

// customersWithFour are those who are logged in as members.four.
func (b *bench) customersWithFour(ctx context.Context) (ids []uint64, err error) {
	for _, token := range b.members.four {
		var got struct{ Results []struct{ Customer uint64 } }
		if _, err := b.demand(ctx, request{method: http.MethodGet, path: "/orders/", token: token}, http.StatusOK, &got); err != nil {
			return nil, err
		}
		if len(got.Results) != 4 {
			return nil, fmt.Errorf("a customer of four orders has %d", len(got.Results))
		}
		ids = append(ids, got.Results[0].Customer)
	}
	return ids, nil
}

// searches are an admin's, because nobody else searches all orders.
func (b *bench) searches(ctx context.Context) error {
	accounts, orders, err := b.replicas(connections)
	if err != nil {
		return err
	}
	defer accounts.Close() //nolint:errcheck // nothing is lost
	defer orders.Close()   //nolint:errcheck // nothing is lost
	const (
		products = "SELECT COUNT(*) FROM orders WHERE product_name LIKE CONCAT('%', ?, '%')"
		names    = "SELECT COUNT(*) FROM members WHERE name LIKE CONCAT('%', ?, '%') OR email LIKE CONCAT('%', ?, '%')"
	)
	for _, search := range []struct {
		what, path, word string
		count            int
		db               *sql.DB
		query            string
		bar              float64
	}{
		{"search of orders, a rare word", "/orders/", dataset.RareProduct, dataset.Rare, orders, products, 20},
		{"search of members, a rare word", "/accounts/users", dataset.RareName, dataset.Rare, accounts, names, 20},
		{"search of orders, a word of 1 row in 100", "/orders/", dataset.CommonProduct, dataset.Common(b.size.Orders), orders, products, 5},
		{"search of members, a word of 1 row in 100", "/accounts/users", dataset.CommonName, dataset.Common(b.size.Members), accounts, names, 5},
	} {
		err := b.compare(ctx, report.Row{What: search.what, Against: "a LIKE scan of the table", Bar: search.bar},
			b.loop(slowly, func(ctx context.Context, _, _ int) error {
				got, err := b.list(ctx, b.members.admin, search.path+"?search="+url.QueryEscape(search.word), min(pageRows, search.count))
				if err == nil && got.Count != search.count {
					err = fmt.Errorf("%q: %d are counted instead of %d", search.word, got.Count, search.count)
				}
				return err
			}),
			b.loop(slowly, func(ctx context.Context, _, _ int) error {
				return scan(ctx, search.db, search.query, search.word, search.count)
			}))
		if err != nil {
			return err
		}
	}
	return nil
}

// pages compares pages with each other: far ones with first ones, those of large customers with those of small ones.
func (b *bench) pages(ctx context.Context) error {
	first, err := b.list(ctx, b.members.great, "/orders/", pageRows)
	if err != nil {
		return err
	}
	all, err := b.list(ctx, b.members.admin, "/orders/", pageRows)
	if err != nil {
		return err
	}
	last := func(count int) string { return "/orders/?offset=" + strconv.Itoa(count-pageRows) }
	place := strconv.Itoa(b.size.Orders * 9 / 10)
	cursor := "/orders/?cursor=" + listing.Cursor{Ordering: "id", Keys: []*string{&place}}.String()
	page := func(path, token string) measure { return b.fast(path, connections, pageRows, token) }
	// The services read so many far pages at the same time; more would wait, and be refused.
	few := func(path, token string) measure { return b.fast(path, slowly, pageRows, token) }
	great, admin := b.members.great, b.members.admin
	for _, comparison := range []struct {
		row         report.Row
		ours, limit measure
	}{
		{report.Row{What: "last page of a customer with one order in ten", Against: "the first page", Bar: 0.5}, few(last(first.Count), great), few("/orders/", great)},
		{report.Row{What: "last page of all orders", Against: "the first page", Bar: 0.5}, few(last(all.Count), admin), few("/orders/", admin)},
		{report.Row{What: "cursor page after nine tenths of all orders", Against: "the first cursor page", Bar: 0.9}, page(cursor, admin), page("/orders/?cursor=", admin)},
		{report.Row{What: "own list of a customer with one order in a hundred", Against: "of one with 5 orders", Bar: 0.8}, page("/orders/", b.members.large), b.fast("/orders/", connections, 5, b.members.five)},
		// The page of the row above has 30 orders, and that of the customer with 5 has 5. With as many on both sides, only the list's length differs.
		{report.Row{What: "the same, 5 orders a page", Against: "of one with 5 orders", Bar: 0.8}, b.fast("/orders/?limit=5", connections, 5, b.members.large), b.fast("/orders/?limit=5", connections, 5, b.members.five)},
	} {
		if err := b.compare(ctx, comparison.row, comparison.ours, comparison.limit); err != nil {
			return err
		}
	}
	accounts, orders, err := b.replicas(slowly)
	if err != nil {
		return err
	}
	defer accounts.Close()             //nolint:errcheck // nothing is lost
	defer orders.Close()               //nolint:errcheck // nothing is lost
	offset := b.size.Orders * 15 / 100 // 150,000 of a million
	deep := "/orders/?ordering=paymented_at&offset=" + strconv.Itoa(offset)
	row := report.Row{What: fmt.Sprintf("page at offset %d, by time", offset), Against: "a bare statement that skips entries of the index", Bar: 0.8}
	return b.compare(ctx, row,
		b.loop(slowly, func(ctx context.Context, _, _ int) error {
			_, err := b.list(ctx, admin, deep, pageRows)
			return err
		}),
		b.loop(slowly, func(ctx context.Context, _, _ int) error { return deepPage(ctx, orders, offset) }))
}
