package container

import (
	"context"
	"errors"
	"strings"
)

// checkSettings has the processes judge the settings that they are to start with, before one is replaced. Otherwise some would go on with
// the new settings while others refuse theirs, and be started again and again. With a revision, only those judge that were built from it.
func (r *Runner) checkSettings(ctx context.Context, revision string) error {
	var problems []error
	for _, name := range append(services[:len(services):len(services)], "binlogs") {
		if revision != "" {
			built, err := engine(ctx, "run", "--rm", r.image(name), "version")
			if err != nil || !strings.Contains(built, revision) {
				continue
			}
		}
		problems = append(problems, r.step(ctx, "checking the settings of "+name, "run", "--rm", "--no-TTY", "--no-deps", name, "check"))
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
