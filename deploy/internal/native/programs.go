package native

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"oms.internal/servers/proc"
)

// built returns what starts a part from the binary that was built last, with the settings that are chosen now.
func (r *Runner) built(part part) (proc.Command, error) {
	return r.command(part, filepath.Join(r.binDir(), part.name), "serve", r.runDir(), r.environment(part.name))
}

// command returns what starts a part: a program with a subcommand, a folder and the whole environment. The program is copied to a name
// that holds its digest, so that no later build replaces it: a part that ends by itself is started again from what it ran from.
func (r *Runner) command(part part, program, subcommand, dir string, environment []string) (proc.Command, error) {
	content, err := os.ReadFile(program) // #nosec G304 -- our own program
	if err != nil {
		return proc.Command{}, fmt.Errorf("program of %s: %w", part.name, err)
	}
	sum := digest(content)
	fingerprint, err := fingerprintOf(sum, environment)
	if err != nil {
		return proc.Command{}, fmt.Errorf("start %s: %w", part.name, err)
	}
	kept := r.keptProgram(part, sum)
	if _, err := os.Stat(kept); err != nil {
		if err := renameio.WriteFile(kept, content, 0o700); err != nil {
			return proc.Command{}, fmt.Errorf("program of %s: %w", part.name, err)
		}
	}
	return proc.Command{
		Name: part.name, Path: kept, Args: []string{subcommand}, Env: environment, Dir: dir, Log: part.log, Record: part.record,
		Fingerprint: fingerprint,
	}, nil
}

func (r *Runner) keptProgram(part part, digest string) string {
	return filepath.Join(r.binDir(), part.name+"-"+digest)
}

// removePrograms removes the programs from which no part was started last.
func (r *Runner) removePrograms() error {
	for _, part := range r.parts() {
		command, known, err := lastCommand(part)
		if err != nil {
			return err
		}
		all, err := filepath.Glob(r.keptProgram(part, "*"))
		if err != nil {
			return err
		}
		for _, program := range all {
			if !known || program == command.Path {
				continue
			}
			if err := os.Remove(program); err != nil {
				return fmt.Errorf("remove an old program: %w", err)
			}
		}
	}
	return nil
}

// lastCommand returns what a part was started with last, whether it runs or has ended by itself. known is false if somebody ended it, or
// it was never started.
func lastCommand(part part) (command proc.Command, known bool, err error) {
	process, err := proc.Find(part.record)
	if err != nil {
		return proc.Command{}, false, err
	}
	if process != nil {
		return process.Command(), true, nil
	}
	command, _, ended, err := proc.Ended(part.record)
	return command, ended, err
}
