// Package command is the command line of a process: subcommands, each with --help, and what the process tells the one who started it by
// its exit code: 0 for done, 1 for failed, 2 for asked wrongly, or what the error says.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes of a process that failed.
const (
	Failed = 1
	// Misused says that the command line was wrong, and that nothing was tried.
	Misused = 2
)

// Program returns the command line of a program. The first command runs where none is named.
func Program(name, about string, first *cobra.Command, others ...*cobra.Command) *cobra.Command {
	root := group(name, about)
	root.RunE = first.RunE
	root.AddCommand(append([]*cobra.Command{first}, others...)...)
	root.SilenceErrors, root.SilenceUsage = true, true // the caller prints the error, in one line
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true}) // --help is enough
	root.SetFlagErrorFunc(misuse)
	return root
}

// Group returns a command that has only subcommands.
func Group(name, about string, commands ...*cobra.Command) *cobra.Command {
	made := group(name, about)
	made.RunE = func(at *cobra.Command, _ []string) error { return misuse(at, errors.New("a command is missing")) }
	made.AddCommand(commands...)
	return made
}

// group makes a command that takes no arguments, so each is a subcommand that is not there.
func group(name, about string) *cobra.Command {
	return &cobra.Command{Use: name, Short: about, Args: func(at *cobra.Command, args []string) error {
		if len(args) > 0 {
			return misuse(at, fmt.Errorf("unknown command %q", args[0]))
		}
		return nil
	}}
}

// New returns a command that runs work. Its usage is its name, and behind that the names of its arguments, all of which must be given.
func New(usage, about string, arguments int, work func(at *cobra.Command, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: usage, Short: about, RunE: work, DisableFlagsInUseLine: true,
		Args: func(at *cobra.Command, args []string) error {
			if len(args) != arguments {
				return misuse(at, fmt.Errorf("%d arguments instead of %d: %s", len(args), arguments, at.UseLine()))
			}
			return nil
		},
	}
}

// Run runs a command line with its output in one place.
func Run(ctx context.Context, program *cobra.Command, args []string, out io.Writer) error {
	program.SetArgs(append([]string{}, args...)) // with nil, cobra would take those of the process
	program.SetOut(out)
	program.SetErr(out)
	return program.ExecuteContext(ctx)
}

// failure is an error with an exit code.
type failure struct {
	error
	code int
}

func (f failure) Unwrap() error { return f.error }

// Exit returns the error with an exit code of its own.
func Exit(code int, err error) error { return failure{err, code} }

func misuse(at *cobra.Command, err error) error {
	return Exit(Misused, fmt.Errorf("%w; see %s --help", err, at.CommandPath()))
}

// Code returns the exit code of what a command returned.
func Code(err error) int {
	if err == nil {
		return 0
	}
	if failed, ok := errors.AsType[failure](err); ok {
		return failed.code
	}
	return Failed
}
