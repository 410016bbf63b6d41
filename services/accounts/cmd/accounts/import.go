package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/imports"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/drf"
	"oms.internal/libs/service"
)

// idsLeft is how many ids are left to members that drf-oms still makes while it serves beside this system.
const idsLeft = 1_000_000

func importCommand(operate service.Operate[Config]) *cobra.Command {
	options := &drf.Options{Now: time.Now}
	return drf.Command("bring members and sessions from a database of drf-oms", options, operate(func(ctx context.Context, o operator) error {
		options.Out, options.Progress = o.Out, o.Beside
		return operateStore(ctx, o, func(ctx context.Context, domain *account.Service, to *store.Store) error {
			members := imports.Members(to, domain)
			err := drf.Run(ctx, *options, members, imports.Sessions(to, domain, options.Now()))
			if options.DryRun || members.Last() == 0 {
				return err
			}
			if reserveErr := to.ReserveIDs(ctx, members.Last(), idsLeft); err == nil {
				err = reserveErr
			}
			return err
		})
	}))
}
