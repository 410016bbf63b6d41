package container

import (
	"context"
	"errors"
	"fmt"
)

// migrate migrates the tables of a service before it starts, which has a time limit. A migration has none, and runs in a container of its
// own that goes on when ctx ends: the server completes a change of a table although nobody waits for it, but if then nobody notes that it
// was made, the next migration fails at it.
func (r *Runner) migrate(ctx context.Context, service string) error {
	if service == gateway {
		return nil
	}
	// What an earlier command began may be of another build, and nobody here knows how it ended.
	if err := r.awaitMigration(ctx, service); err != nil {
		return err
	}
	name := r.migration(service)
	if err := r.step(ctx, migrating(service), "run", "--detach", "--no-deps", "--name", name, service, "migrate"); err != nil {
		return err
	}
	code, err := waitFor(ctx, service, name)
	if err == nil && code != "0" {
		err = fmt.Errorf("%s failed; %s", migrating(service), logEnd(ctx, name))
	}
	if ctx.Err() != nil {
		return err // the container is left to its end
	}
	_, removeErr := engine(ctx, "rm", "--force", name)
	return errors.Join(err, removeErr)
}

// awaitMigration waits for the end of a migration that an interrupted command has left behind, if there is one.
func (r *Runner) awaitMigration(ctx context.Context, service string) error {
	name := r.migration(service)
	left, err := engine(ctx, "ps", "--all", "--quiet", "--filter", "name=^"+name+"$")
	if err != nil || left == "" {
		return err
	}
	r.say("waiting for the end of %s, which an earlier command began", migrating(service))
	if _, err := waitFor(ctx, service, name); err != nil {
		return err
	}
	_, err = engine(ctx, "rm", "--force", name)
	return err
}

// waitFor returns how a migration ended.
func waitFor(ctx context.Context, service, name string) (code string, err error) {
	code, err = engine(ctx, "wait", name)
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s goes on, and the next `make up` waits for it: %w", migrating(service), ctx.Err())
	}
	return code, err
}

// migration is the name of the container that migrates the tables of a service.
func (r *Runner) migration(service string) string { return r.project() + "-" + service + "-migrate" }

func migrating(service string) string { return "migrating the tables of " + service }
