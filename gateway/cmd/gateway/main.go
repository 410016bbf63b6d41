// Command gateway is the one public port of OMS: it verifies who asks and passes requests on to the services.
//
//	gateway [serve]  serve HTTP until SIGTERM
//	gateway routes   print the table of routes as JSON
//	gateway health   exit 0 if the process on this machine is ready; the health check of its container
//	gateway version  say what it was built from
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"oms.internal/gateway/internal/router"
	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/version"
)

// memoryLimit makes the collector work harder before the heap grows so far that the process, with its code and stacks,
// comes near the 64 MiB that it may take.
const memoryLimit = 40 << 20

func main() {
	lifecycle.LimitMemory(memoryLimit)
	os.Exit(lifecycle.Main(func(ctx context.Context) error { return command(ctx, os.Args[1:], os.Environ(), os.Stdout) }))
}

func command(ctx context.Context, args, environ []string, out io.Writer) error {
	name := "serve"
	if len(args) > 0 {
		name = args[0]
	}
	switch name {
	case "serve":
		return serve(ctx, environ, out)
	case "health":
		return lifecycle.Health(ctx, environ, config.Defaults[Config]().AdminAddr, out)
	case "routes":
		return router.List(out, router.Routes)
	case "version":
		_, err := fmt.Fprintln(out, "gateway", version.Get())
		return err
	default:
		return fmt.Errorf("unknown command %q; there are serve, routes, health, version", name)
	}
}

func serve(ctx context.Context, environ []string, out io.Writer) error {
	cfg, err := config.Load[Config](environ)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	return run(ctx, cfg, lifecycle.NewLogger(out, "gateway", cfg.LogLevel), time.Now, func(addresses) {})
}
