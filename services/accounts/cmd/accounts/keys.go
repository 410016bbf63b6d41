package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/token"
)

// keys rotates the signing keys. Running services notice by themselves.
func keys(ctx context.Context, cfg Config, log *slog.Logger, args []string, out io.Writer) error {
	if !slices.Equal(args, []string{"rotate"}) {
		return errors.New("there is one command: accounts keys rotate")
	}
	// The database comes first: a rotation that could not be written down is not begun.
	return operate(ctx, cfg, log, func(ctx context.Context, domain *account.Service) error {
		rotation, err := token.Rotate(cfg.TokenKeysDir, time.Now(), cfg.TokenLifetime)
		if rotation.Added == "" {
			return err
		}
		did := []string{"added " + rotation.ID}
		_, printErr := fmt.Fprintf(out, "added %s (key id %s); it signs in a few seconds\n", rotation.Added, rotation.ID)
		for _, name := range rotation.Removed {
			_, removeErr := fmt.Fprintf(out, "removed %s; no token that it signed is still valid\n", name)
			printErr = errors.Join(printErr, removeErr)
		}
		if len(rotation.Removed) > 0 {
			did = append(did, fmt.Sprintf("removed %d", len(rotation.Removed)))
		}
		return errors.Join(err, printErr, domain.RecordKeyRotation(ctx, strings.Join(did, ", ")))
	})
}
