// Command accounts is the service that keeps members and their sessions. `accounts --help` lists its commands. Without one it serves.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // an image from scratch has no time zones

	"github.com/spf13/cobra"

	"oms.internal/accounts/internal/httpapi"
	"oms.internal/accounts/internal/natsapi"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/service"
	"oms.internal/sql"
)

func main() { os.Exit(program().Main()) }

func program() service.Program[Config] {
	return service.Program[Config]{
		Name: accounts.Service, About: "keeps members and their sessions", Migrate: migrate, Build: build,
		Commands: func(operate service.Operate[Config]) []*cobra.Command {
			return []*cobra.Command{adminCommands(operate), keysCommands(operate), importCommand(operate)}
		},
	}
}

func migrate(ctx context.Context, cfg mysqlx.Config, log *slog.Logger) error {
	return mysqlx.Migrate(ctx, cfg, sql.Accounts(), log, store.RestrictUser(cfg.ServiceUser))
}

func build(ctx context.Context, cfg Config, base *service.Base) (service.Special, error) {
	members := store.New(base.Database, time.Now)
	domain, signing, err := newDomain(ctx, cfg, base, members)
	if err != nil {
		return service.Special{}, err
	}
	httpapi.New(domain, signing.JWKS, cfg.TimeZone.Location, base.Metrics).Register(base.App, base.Verifier, base.OwnWrites)
	return service.Special{
		Workers: []lifecycle.Part{
			base.Mend(func(ctx context.Context, rest func() error) (int, error) {
				mailboxes, mailboxesErr := members.FillMailboxes(ctx, base.Log, rest)
				grams, gramsErr := members.FillGrams(ctx, rest)
				return mailboxes + grams, errors.Join(mailboxesErr, gramsErr)
			}),
			{Name: "cleanup", Run: domain.CleanUp},
			base.Minutely("remove old moves of members", listsql.NewCleaner(store.MemberList, base.Database, time.Now).Clean),
			base.Minutely("count members anew", members.RenewCounts),
			{Name: "audit series", Run: domain.WriteSeries},
			{Name: "signing keys", Run: func(ctx context.Context) error { return signing.Watch(ctx, base.Log) }},
		},
		Endpoints: natsapi.Endpoints(domain),
		Consumers: natsapi.NewConsumers(
			base.Database, base.NATS, cfg.EventsReplicas, store.RecordEventsWithin, time.Now, cfg.AuditRetention, base.Log),
	}, nil
}
