// Command gateway is the one public port of OMS: it verifies who asks and passes requests on to the services.
// `gateway --help` lists its commands. Without one it serves.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"oms.internal/gateway/internal/router"
	"oms.internal/libs/command"
	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/version"
)

// memoryLimit makes the collector work harder before the heap grows so far that the process, with its code and stacks,
// comes near the 64 MiB that it may take.
const memoryLimit = 40 << 20

func main() {
	lifecycle.LimitMemory(memoryLimit)
	os.Exit(lifecycle.Main(commandLine(os.Environ()).ExecuteContext))
}

func commandLine(environ []string) *cobra.Command {
	return command.Program("gateway", "the one public port of OMS: it verifies who asks, and passes requests on",
		command.New("serve", "serve HTTP until SIGTERM (without a command, too)", 0, func(at *cobra.Command, _ []string) error {
			return serve(at.Context(), environ, at.OutOrStdout())
		}),
		command.New("check", "say whether the settings are right", 0, func(*cobra.Command, []string) error {
			_, err := configuration(environ)
			return err
		}),
		command.New("routes", "print the table of the API's routes as JSON", 0, func(at *cobra.Command, _ []string) error {
			return router.List(at.OutOrStdout(), router.Routes)
		}),
		command.New("health", "exit 0 if the process on this machine is ready; the health check of its container", 0,
			func(at *cobra.Command, _ []string) error {
				return lifecycle.Health(at.Context(), environ, config.Defaults[Config]().AdminAddr, at.OutOrStdout())
			}),
		command.New("version", "say what it was built from", 0, func(at *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(at.OutOrStdout(), "gateway", version.Get())
			return err
		}),
	)
}

func serve(ctx context.Context, environ []string, out io.Writer) error {
	cfg, err := configuration(environ)
	if err != nil {
		return err
	}
	return run(ctx, cfg, lifecycle.NewLogger(out, "gateway", cfg.LogLevel), time.Now, func(addresses) {})
}

func configuration(environ []string) (Config, error) {
	cfg, err := config.Load[Config](environ)
	if err != nil {
		return Config{}, fmt.Errorf("configuration:\n%w", err)
	}
	return cfg, nil
}
