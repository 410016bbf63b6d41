package container

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// migrate migrates the tables of a service with what was built last.
func (r *Runner) migrate(ctx context.Context, service string) error {
	return r.migrateBy(ctx, service, r.command(ctx, "run", "--detach", "--no-deps", "--name", r.migration(service), service, "migrate"))
}

// migrateAs migrates the tables of a service as one of its containers would.
func (r *Runner) migrateAs(ctx context.Context, service string, one instance) error {
	command := one.command(ctx, []string{"--detach", "--name", r.migration(service)}, "migrate")
	return r.migrateBy(ctx, service, command)
}

// migrateBy migrates the tables of a service before it starts, which has a time limit. A migration has none, and runs in a container of its
// own that goes on when ctx ends: the server completes a change of a table although nobody waits for it, but if then nobody notes that it
// was made, the next migration fails at it. The command starts that container.
func (r *Runner) migrateBy(ctx context.Context, service string, command *exec.Cmd) error {
	if service == gateway {
		return nil
	}
	// What an earlier command began may be of another build, and nobody here knows how it ended.
	if err := r.awaitMigration(ctx, service); err != nil {
		return err
	}
	if err := r.run(ctx, command, migrating(service)); err != nil {
		return err
	}
	name := r.migration(service)
	code, err := waitFor(ctx, service, name)
	if err != nil {
		return err
	}
	if code != "0" {
		err = fmt.Errorf("%s failed; %s", migrating(service), logEnd(ctx, name))
	}
	_, removeErr := engine(ctx, "rm", name)
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
	_, err = engine(ctx, "rm", name)
	return err
}

// waitFor returns how a migration ended. After an error nobody here knows whether it has ended, so it is left alone.
func waitFor(ctx context.Context, service, name string) (code string, err error) {
	code, err = engine(ctx, "wait", name)
	if err != nil {
		return "", fmt.Errorf("%s goes on, and the next `make up` waits for it: %w", migrating(service), cmp.Or(ctx.Err(), err))
	}
	return code, nil
}

// migration is the name of the container that migrates the tables of a service.
func (r *Runner) migration(service string) string { return r.project() + "-" + service + "-migrate" }

func migrating(service string) string { return "migrating the tables of " + service }
