// Command gateway is the one public port of OMS: it verifies who asks and passes requests on to the services.
//
// Subcommands: serve (the default) runs it until SIGTERM; health asks a running one whether it is ready, and is the
// health check of its container; routes prints the table of routes as JSON.
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"oms.internal/gateway/internal/router"
	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
)

// memoryLimit makes the collector work harder before the heap grows so far that the process, with its code and stacks,
// comes near the 64 MiB that it may take. GOMEMLIMIT, if it is set, counts instead.
const memoryLimit = 44 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	os.Exit(lifecycle.Main(command))
}

func command(ctx context.Context) error {
	name := "serve"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	switch name {
	case "serve":
		return serve(ctx)
	case "health":
		return lifecycle.Probe(ctx, cmp.Or(os.Getenv("ADMIN_ADDR"), defaultAdminAddr), os.Stdout)
	case "routes":
		return router.List(os.Stdout, router.Routes)
	default:
		return fmt.Errorf("gateway: no command %q; there are serve, health and routes", name)
	}
}

func serve(ctx context.Context) error {
	cfg, err := config.Load[settings](os.Environ())
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	log := lifecycle.NewLogger(os.Stdout, "gateway", cfg.LogLevel)
	return run(ctx, cfg, log, func(addresses) {})
}
