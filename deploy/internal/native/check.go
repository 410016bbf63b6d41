package native

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// checkSettings has the processes judge the settings that they are to start with, before one is replaced. Otherwise some would go on with
// the new settings while others refuse theirs. With a revision, only those judge that were built from it.
func (r *Runner) checkSettings(ctx context.Context, revision string) error {
	var problems []error
	for _, part := range append(r.services(), r.named("binlogs")) {
		program := filepath.Join(r.binDir(), part.name)
		if revision != "" {
			built, err := exec.CommandContext(ctx, program, "version").Output() // #nosec G204 -- our own binary
			if err != nil || !strings.Contains(string(built), revision) {
				continue
			}
		}
		check := exec.CommandContext(ctx, program, "check") // #nosec G204 -- our own binary
		check.Env = r.environment(part.name)
		if output, err := check.CombinedOutput(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w\n%s", part.name, err, output))
		}
	}
	return errors.Join(problems...)
}

// checkSettingsEarly is checkSettings by what was built last, where that can tell: a build may take minutes.
func (r *Runner) checkSettingsEarly(ctx context.Context) error {
	if revision := r.stack.Checkable(ctx); revision != "" {
		return r.checkSettings(ctx, revision)
	}
	return nil
}
