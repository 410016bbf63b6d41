package service

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"oms.internal/libs/command"
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
	return lifecycle.Main(p.commandLine(os.Environ()).ExecuteContext)
}

// Command runs a subcommand; serve where args names none.
func (p Program[C]) Command(ctx context.Context, args, environ []string, out io.Writer) error {
	return command.Run(ctx, p.commandLine(environ), args, out)
}

// Operator is what an operator's command works with. It prints its answer to Out, and Log tells only what is wrong.
type Operator[C any] struct {
	Config C
	Log    *slog.Logger
	Args   []string
	In     io.Reader
	Out    io.Writer
	// Beside is where the command asks and reports, so that Out has nothing but the answer.
	Beside io.Writer
}

// Operate makes of work what an operator's command runs: it reads the configuration first.
type Operate[C any] func(work func(ctx context.Context, operator Operator[C]) error) func(*cobra.Command, []string) error

func (p Program[C]) commandLine(environ []string) *cobra.Command {
	configured := func(run func(ctx context.Context, cfg C, out io.Writer) error) func(*cobra.Command, []string) error {
		return func(at *cobra.Command, _ []string) error {
			cfg, err := load[C](environ)
			if err != nil {
				return err
			}
			return run(at.Context(), cfg, at.OutOrStdout())
		}
	}
	log := func(cfg C, out io.Writer) *slog.Logger {
		return lifecycle.NewLogger(out, p.Name, cfg.Common().LogLevel)
	}
	others := []*cobra.Command{
		command.New("migrate", "apply the migrations and exit", 0, configured(func(ctx context.Context, cfg C, out io.Writer) error {
			return p.Migrate(ctx, cfg.Common().mysqlMigrate(), log(cfg, out))
		})),
		command.New("check", "say whether the settings are right", 0, configured(func(context.Context, C, io.Writer) error { return nil })),
		command.New("health", "exit 0 if the process on this machine is ready", 0, func(at *cobra.Command, _ []string) error {
			return lifecycle.Health(at.Context(), environ, config.Defaults[C]().Common().AdminAddr, at.OutOrStdout())
		}),
		command.New("version", "say what it was built from", 0, func(at *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(at.OutOrStdout(), p.Name, version.Get())
			return err
		}),
	}
	if p.Commands != nil {
		others = append(others, p.Commands(p.operate(environ))...)
	}
	serve := configured(func(ctx context.Context, cfg C, out io.Writer) error {
		return p.Serve(ctx, cfg, log(cfg, out), func(Addresses) {})
	})
	return command.Program(p.Name, p.About, command.New("serve", "serve HTTP and NATS until SIGTERM (without a command, too)", 0, serve), others...)
}

func (p Program[C]) operate(environ []string) Operate[C] {
	return func(work func(context.Context, Operator[C]) error) func(*cobra.Command, []string) error {
		return func(at *cobra.Command, args []string) error {
			cfg, err := load[C](environ)
			if err != nil {
				return err
			}
			// What a server logs all the time would hide what the command has to say.
			level := max(cfg.Common().LogLevel, slog.LevelWarn)
			return work(at.Context(), Operator[C]{
				Config: cfg, Log: lifecycle.NewLogger(at.ErrOrStderr(), p.Name, level), Args: args,
				In: at.InOrStdin(), Out: at.OutOrStdout(), Beside: at.ErrOrStderr(),
			})
		}
	}
}

func load[C any](environ []string) (C, error) {
	cfg, err := config.Load[C](environ)
	if err != nil {
		return cfg, fmt.Errorf("configuration:\n%w", err)
	}
	return cfg, nil
}
