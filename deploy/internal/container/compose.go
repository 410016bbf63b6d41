package container

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// compose runs a command of Docker Compose on this terminal.
func (r *Runner) compose(ctx context.Context, arguments ...string) error {
	command := r.command(ctx, arguments...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, r.out, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("docker compose %s: %w", arguments[0], err)
	}
	return nil
}

// step says what is done and does it by a command of Docker Compose. What the command prints is shown only if it fails: a build alone
// prints a hundred lines.
func (r *Runner) step(ctx context.Context, what string, arguments ...string) error {
	return r.run(ctx, r.command(ctx, arguments...), what)
}

// build makes the images of the services.
func (r *Runner) build(ctx context.Context) error {
	environment, err := r.buildEnvironment(ctx)
	if err != nil {
		return err
	}
	command := r.command(ctx, "build")
	command.Env = append(command.Env, environment...)
	return r.run(ctx, command, "building the services (some minutes, the first time)")
}

// run does a step by a command, which ends with ctx.
func (r *Runner) run(ctx context.Context, command *exec.Cmd, what string) error {
	_, _ = fmt.Fprintln(r.out, what)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		if ctx.Err() != nil { // what the command printed until then explains nothing
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
		_, _ = io.Copy(r.out, bytes.NewReader(output.Bytes()))
		return fmt.Errorf("%s: %s (%w)", what, lastLine(output.String()), err)
	}
	return nil
}

// lastLine returns the beginning of the last line of a text. In a text of a failure that is the reason.
func lastLine(text string) string {
	const most = 400
	text = strings.TrimSpace(text)
	line := strings.TrimSpace(text[strings.LastIndex(text, "\n")+1:])
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// composeOutput runs a command of Docker Compose and returns what it prints.
func (r *Runner) composeOutput(ctx context.Context, arguments ...string) (string, error) {
	command := r.command(ctx, arguments...)
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("docker compose %s: %w\n%s", arguments[0], err, problems.String())
	}
	return output.String(), nil
}

// project returns the name under which Compose keeps containers and volumes. Each folder of data has its own, because the databases in
// the volumes know the secrets of that folder only.
func (r *Runner) project() string {
	digest := sha256.Sum256([]byte(r.stack.Data()))
	return "oms-" + hex.EncodeToString(digest[:3])
}

func (r *Runner) command(ctx context.Context, arguments ...string) *exec.Cmd {
	file := filepath.Join(r.stack.Root, "deploy", "compose.yaml")
	line := append([]string{"compose", "--project-name", r.project(), "--file", file}, arguments...)
	command := exec.CommandContext(ctx, "docker", line...) // #nosec G204 -- our own arguments
	command.Env = append(os.Environ(), r.environment()...)
	// Compose gets the terminal's Ctrl-C itself. It is interrupted and not killed, because a kill would leave half of its work.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	return command
}
