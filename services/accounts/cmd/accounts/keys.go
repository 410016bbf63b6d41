package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/token"
	"oms.internal/libs/command"
	"oms.internal/libs/service"
)

func keysCommands(operate service.Operate[Config]) *cobra.Command {
	return command.Group("keys", "rotate and list the keys that sign tokens",
		command.New("rotate", "add a new key and remove those that no valid token needs; running services notice", 0, operate(rotateKeys)),
		command.New("list", "list the keys, the oldest first", 0, operate(listKeys)))
}

func rotateKeys(ctx context.Context, o operator) error {
	// The database comes first: a rotation that could not be written down is not begun.
	return operate(ctx, o, func(ctx context.Context, domain *account.Service) error {
		rotation, err := token.Rotate(o.Config.TokenKeysDir, time.Now(), o.Config.TokenLifetime)
		if rotation.Added == "" {
			return err
		}
		did := []string{"added " + rotation.ID}
		_, printErr := fmt.Fprintf(o.Out, "added %s (key id %s); it signs in a few seconds\n", rotation.Added, rotation.ID)
		for _, name := range rotation.Removed {
			_, removeErr := fmt.Fprintf(o.Out, "removed %s; no token that it signed is still valid\n", name)
			printErr = errors.Join(printErr, removeErr)
		}
		if len(rotation.Removed) > 0 {
			did = append(did, fmt.Sprintf("removed %d", len(rotation.Removed)))
		}
		return errors.Join(err, printErr, domain.RecordKeyRotation(ctx, strings.Join(did, ", ")))
	})
}

// listKeys needs the folder of the keys alone.
func listKeys(_ context.Context, o operator) error {
	keys, err := token.List(o.Config.TokenKeysDir)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', 0)
	_, err = fmt.Fprintln(table, "KEY ID\tFILE\tMADE\t")
	for i, key := range keys {
		signs := ""
		if i == len(keys)-1 {
			signs = "signs"
		}
		made := key.Made.In(o.Config.TimeZone.Location).Format(time.RFC3339)
		_, lineErr := fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", key.ID, key.File, made, signs)
		err = errors.Join(err, lineErr)
	}
	return errors.Join(err, table.Flush())
}
