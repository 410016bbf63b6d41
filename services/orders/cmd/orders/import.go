package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/drf"
	"oms.internal/libs/service"
	"oms.internal/orders/internal/imports"
	"oms.internal/orders/internal/natsapi"
	"oms.internal/orders/internal/store"
)

// idsLeft is how many ids are left to orders that drf-oms still makes while it serves beside this system.
const idsLeft = 1_000_000

func importCommand(operate service.Operate[Config]) *cobra.Command {
	options := &drf.Options{Now: time.Now}
	about := "bring orders from a database of drf-oms, after `accounts import-drf` and while accounts runs"
	return drf.Command(about, options, operate(func(ctx context.Context, o service.Operator[Config]) (err error) {
		options.Out, options.Progress = o.Out, o.Beside
		base, err := service.Open(orders.Service, o.Config.Config, o.Log)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, base.Close()) }()
		return base.Operate(ctx, func(ctx context.Context) error {
			to := store.New(base.Database, time.Now)
			table := imports.Orders(to, natsapi.NewMembers(base.NATS))
			err := drf.Run(ctx, *options, table)
			if options.DryRun || table.Last() == 0 {
				return err
			}
			if reserveErr := to.ReserveIDs(ctx, table.Last(), idsLeft); err == nil {
				err = reserveErr
			}
			return err
		})
	}))
}
