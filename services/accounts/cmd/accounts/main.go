// Command accounts is the service that keeps members and their sessions.
//
//	accounts [serve]         serve HTTP and NATS until SIGTERM
//	accounts migrate         apply the migrations and exit
//	accounts admin --email E make E an admin; the password comes from the terminal or standard input
//	accounts keys rotate     add a new signing key and remove those that no valid token needs
//	accounts health          exit 0 if the process on this machine is ready
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

// memoryLimit makes the garbage collector work harder before the process grows: password hashes come and go by 19 MiB.
const memoryLimit = 48 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	os.Exit(lifecycle.Main(func(ctx context.Context) error { return command(ctx, os.Args[1:], os.Environ()) }))
}

func command(ctx context.Context, args, environ []string) error {
	name := "serve"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == "health" {
		return lifecycle.Probe(ctx, cmp.Or(os.Getenv("ADMIN_ADDR"), defaultAdminAddr), os.Stdout)
	}
	cfg, err := config.Load[Config](environ)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	log := lifecycle.NewLogger(os.Stdout, "accounts", cfg.LogLevel)
	switch name {
	case "serve":
		return run(ctx, cfg, log, func(Addresses) {})
	case "migrate":
		return migrate(ctx, cfg, log)
	case "admin":
		return createAdmin(ctx, cfg, log, args, os.Stdin, os.Stderr)
	case "keys":
		return keys(ctx, cfg, log, args, os.Stderr)
	}
	return fmt.Errorf("unknown command %q; there are serve, migrate, admin, keys and health", name)
}
