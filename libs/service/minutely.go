package service

import (
	"context"
	"log/slog"
	"time"

	"oms.internal/libs/lifecycle"
	"oms.internal/libs/pace"
)

// Minutely returns a part that does work every minute for as long as the process runs. Whatever fails, it goes on.
func (b *Base) Minutely(name string, work func(context.Context) error) lifecycle.Part {
	return lifecycle.Part{Name: name, Run: func(ctx context.Context) error { return minutely(ctx, b.Log, name, work) }}
}

func minutely(ctx context.Context, log *slog.Logger, name string, work func(context.Context) error) error {
	pace.Every(ctx, time.Minute, func() {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "work of each minute failed; trying again in a minute", "work", name, "error", err)
		}
	})
	return nil
}
