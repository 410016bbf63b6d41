// Command orders is the service that keeps orders.
// `orders --help` lists its commands. Without one it serves.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // an image from scratch has no time zones

	"github.com/spf13/cobra"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/service"
	"oms.internal/orders/internal/httpapi"
	"oms.internal/orders/internal/natsapi"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
	"oms.internal/sql"
)

func main() { os.Exit(program().Main()) }

func program() service.Program[Config] {
	return service.Program[Config]{
		Name: orders.Service, About: "keeps the orders of members", Migrate: migrate, Build: build,
		Commands: func(operate service.Operate[Config]) []*cobra.Command {
			return []*cobra.Command{importCommand(operate)}
		},
	}
}

func migrate(ctx context.Context, cfg mysqlx.Config, log *slog.Logger) error {
	return mysqlx.Migrate(ctx, cfg, sql.Orders(), log)
}

func build(_ context.Context, cfg Config, base *service.Base) (service.Special, error) {
	orderStore := store.New(base.Database, time.Now)
	domain := order.NewService(order.Dependencies{
		Store:     orderStore,
		Members:   natsapi.NewMembers(base.NATS),
		NewNumber: order.NewNumber,
		Now:       time.Now,
		Log:       base.Log,
	})
	httpapi.New(domain, cfg.TimeZone.Location, base.Metrics).Register(base.App, base.Verifier, base.OwnWrites)
	return service.Special{
		Workers: []lifecycle.Part{
			base.Mend(orderStore.MendEarlierWrites),
			base.Minutely("remove old moves of orders", listsql.NewCleaner(store.List, base.Database, time.Now).Clean),
			base.Minutely("count orders anew", orderStore.RenewCounts),
			{Name: "audit series", Run: domain.TellSeries},
		},
		Endpoints: natsapi.Endpoints(domain),
		Consumers: []*events.Consumer{
			natsapi.NewConsumer(base.Database, base.NATS, cfg.EventsReplicas, orderStore.ForgetCustomer, base.Log),
		},
	}, nil
}
