// Command oms starts, shows and ends the system on this machine, in containers or natively, and looks into it. The
// Makefile's targets call it; `oms help` lists what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		if !errors.Is(err, errUsage) {
			_, _ = fmt.Fprintln(os.Stderr, "oms:", err)
		}
		os.Exit(1) //nolint:gocritic // stop only resets signal handlers, which end with the process
	}
}
