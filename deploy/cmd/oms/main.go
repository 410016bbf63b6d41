// Command oms starts, shows and ends the system on this machine, in containers or natively. It also repairs the database servers and backs
// them up. The Makefile's targets call it; `oms help` lists its commands.
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
	context.AfterFunc(ctx, stop) // a second signal ends what the first one does not
	program, err := os.Executable()
	if err == nil {
		err = run(ctx, program, os.Args[1:], os.LookupEnv, os.Stdout)
	}
	if err != nil {
		if !errors.Is(err, errUsage) {
			_, _ = fmt.Fprintln(os.Stderr, "oms:", err)
		}
		os.Exit(1) //nolint:gocritic // stop only resets signal handlers, and the process ends anyway
	}
}
