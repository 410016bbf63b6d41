package service

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/version"
)

// memoryLimit makes the garbage collector work harder before the process grows: accounts' password hashes come and go by
// 19 MiB.
const memoryLimit = 48 << 20

// Main runs the command of the process's arguments and returns the exit code.
func (p Program[C]) Main() int {
	lifecycle.LimitMemory(memoryLimit)
	return lifecycle.Main(func(ctx context.Context) error { return p.Command(ctx, os.Args[1:], os.Environ(), os.Stdout) })
}

// Command runs a subcommand; serve where args names none.
func (p Program[C]) Command(ctx context.Context, args, environ []string, out io.Writer) error {
	name := "serve"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "version":
		_, err := fmt.Fprintln(out, p.Name, version.Get())
		return err
	case "health":
		return lifecycle.Health(ctx, environ, config.Defaults[C]().Common().AdminAddr, out)
	}
	special, known := p.Commands[name]
	if !known && name != "serve" && name != "migrate" {
		all := append([]string{"serve", "migrate", "health", "version"}, slices.Sorted(maps.Keys(p.Commands))...)
		return fmt.Errorf("unknown command %q; there are %s", name, strings.Join(all, ", "))
	}
	cfg, err := config.Load[C](environ)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	level := cfg.Common().LogLevel
	if known {
		// An operator's command prints its answer. What a server logs all the time would hide it.
		level = max(level, slog.LevelWarn)
	}
	log := lifecycle.NewLogger(out, p.Name, level)
	switch name {
	case "serve":
		return p.Serve(ctx, cfg, log, func(Addresses) {})
	case "migrate":
		return p.Migrate(ctx, cfg.Common().mysqlMigrate(), log)
	default:
		return special(ctx, cfg, log, args)
	}
}
