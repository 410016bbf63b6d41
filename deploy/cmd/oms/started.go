package main

import (
	"context"
	"errors"
	"fmt"

	"oms.internal/servers/dbpair"

	"oms.internal/deploy/internal/backup"
)

// onPair does something with the database servers of the stack that was started.
func (a app) onPair(ctx context.Context, do func(started, *dbpair.Pair) error) error {
	before, err := a.recorded()
	if err != nil {
		return err
	}
	pair, err := before.runner.Pair(ctx)
	if err != nil {
		return err
	}
	return do(before, pair)
}

func (a app) failover(ctx context.Context, options options) error {
	return a.onPair(ctx, func(_ started, pair *dbpair.Pair) error {
		if options.force {
			return pair.ForceFailover(ctx)
		}
		return pair.Failover(ctx)
	})
}

func (a app) rejoin(ctx context.Context, _ options) error {
	return a.onPair(ctx, func(_ started, pair *dbpair.Pair) error { return pair.Rejoin(ctx) })
}

var errNoFile = errors.New("which file? FILE=… or --file")

func (a app) backup(ctx context.Context, options options) error {
	if options.file == "" {
		return errNoFile
	}
	return a.onPair(ctx, func(_ started, pair *dbpair.Pair) error {
		if err := pair.Orient(ctx); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		return backup.Write(ctx, pair, options.file, a.out)
	})
}

func (a app) restore(ctx context.Context, options options) error {
	if options.file == "" {
		return errNoFile
	}
	return a.onPair(ctx, func(before started, pair *dbpair.Pair) error {
		if err := pair.Orient(ctx); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		return backup.Restore(ctx, pair, before.runner, options.file, options.force, a.out)
	})
}
