// Command orders is the service that keeps orders.
//
//	orders [serve]  serve HTTP and NATS until SIGTERM
//	orders migrate  apply the migrations and exit
//	orders health   exit 0 if the process on this machine is ready
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	_ "time/tzdata" // an image from scratch has no time zones

	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
)

// memoryLimit makes the garbage collector work harder before the process grows.
const memoryLimit = 48 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	os.Exit(lifecycle.Main(func(ctx context.Context) error { return command(ctx, os.Args[1:], os.Environ()) }))
}

func command(ctx context.Context, args, environ []string) error {
	name := "serve"
	if len(args) > 0 {
		name = args[0]
	}
	if name == "health" {
		return lifecycle.Probe(ctx, cmp.Or(os.Getenv("ADMIN_ADDR"), defaultAdminAddr), os.Stdout)
	}
	cfg, err := config.Load[Config](environ)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	log := lifecycle.NewLogger(os.Stdout, "orders", cfg.LogLevel)
	switch name {
	case "serve":
		return run(ctx, cfg, log, func(Addresses) {})
	case "migrate":
		return migrate(ctx, cfg, log)
	}
	return fmt.Errorf("unknown command %q; there are serve, migrate and health", name)
}
