package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/stack"
)

const (
	lookInterval = time.Second
	// longestPause is how much longer a service may be away than what ended it. A database server whose disk is full may end, and can
	// be started once there is space.
	longestPause = 10 * time.Second
	// silence is how long the supervisor may take for a look. It asks a database server before it starts the other one again.
	silence = 30 * time.Second
)

// pause is the least time between two starts of a process that was started again so often: 0, then 1 s, and twice as long each time.
func pause(restarts int) time.Duration {
	if restarts == 0 {
		return 0
	}
	const doublings = 4 // more exceed longestPause
	return min(longestPause, time.Second<<min(restarts-1, doublings))
}

// passed reports whether a pause since a time is over. It is, too, if the time has not come yet: then the clock was set back, and nobody
// knows how long ago that time was.
func passed(now, since time.Time, pause time.Duration) bool {
	return now.Before(since) || now.Sub(since) >= pause
}

// lockName stands for the lock where the supervisor remembers its troubles.
const lockName = "lock"

// Supervise starts processes again that ended although nobody asked them to, until ctx ends. A process whose record is there without the
// process has ended so: whoever ends a process here writes that into its record first. Nothing is started while a command works that starts
// and ends processes. It also keeps the logs of all parts, its own among them, within a size. The time of its log shows when it looked last.
func (r *Runner) Supervise(ctx context.Context) error {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	trouble := map[string]time.Time{}
	for {
		if err := r.touchLog(); err != nil {
			return err
		}
		r.revive(ctx, time.Now(), trouble)
		r.rotateLogs(time.Now(), trouble)
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}

// revive starts what is due. trouble remembers what could not be done, and since when, so that it is not tried at each look.
func (r *Runner) revive(ctx context.Context, now time.Time, trouble map[string]time.Time) {
	unlock, err := r.stack.LockProcesses("oms supervise", now)
	if _, locked := errors.AsType[*stack.LockedError](err); locked {
		return
	}
	if err != nil {
		if since, troubled := trouble[lockName]; !troubled || passed(now, since, longestPause) {
			trouble[lockName] = now
			r.say("%s nothing is started again, because it cannot be seen whether a command works: %v", now.Format(time.RFC3339), err)
		}
		return
	}
	defer unlock()
	delete(trouble, lockName)
	// An `up` may have moved a database server to another port meanwhile.
	if record, found, _ := r.stack.Recorded(); found {
		r.stack.Ports = record.Ports
	}
	due := func(command proc.Command, started time.Time) bool {
		since, troubled := trouble[command.Name]
		return passed(now, started, pause(command.Restarts)) && (!troubled || passed(now, since, longestPause))
	}
	note := func(name string, restarts int, err error) {
		delete(trouble, name)
		if err != nil {
			trouble[name] = now
			r.say("%s %s has ended by itself and cannot be started again: %v", now.Format(time.RFC3339), name, err)
			return
		}
		r.say("%s %s had ended by itself and was started again (restart %d)", now.Format(time.RFC3339), name, restarts)
	}
	r.reviveDatabases(ctx, due, note)
	for _, part := range append([]part{r.named("nats"), r.named("binlogs")}, r.services()...) {
		command, started, ended, err := proc.Ended(part.record)
		if err != nil || !ended || !due(command, started) {
			continue // a damaged record is written anew by the next up
		}
		command.Restarts++
		_, err = proc.Start(command)
		note(part.name, command.Restarts, err)
	}
}

// rotateLogs rotates the logs that have grown too large. It needs no lock, because it ends no process, and one supervisor runs.
func (r *Runner) rotateLogs(now time.Time, trouble map[string]time.Time) {
	for _, part := range append(r.parts(), r.supervisor()) {
		if since, troubled := trouble[part.log]; troubled && !passed(now, since, longestPause) {
			continue
		}
		delete(trouble, part.log)
		if err := proc.RotateLog(part.log, proc.LogLimit, proc.OldLogs); err != nil {
			trouble[part.log] = now
			r.say("%s the log of %s grows beyond its limit: %v", now.Format(time.RFC3339), part.name, err)
		}
	}
}

// reviveDatabases does nothing where neither server has ended, because it would need the secrets for that.
func (r *Runner) reviveDatabases(
	ctx context.Context, due func(proc.Command, time.Time) bool, note func(name string, restarts int, err error),
) {
	for _, part := range r.databases() {
		command, started, ended, err := proc.Ended(part.record)
		if err != nil || !ended || !due(command, started) {
			continue
		}
		pair, err := r.Pair(ctx)
		if err != nil {
			note(part.name, 0, err)
			return
		}
		revived, err := pair.Revive(ctx, due)
		for _, server := range revived {
			note(server.Name(), server.Restarts(), nil)
		}
		if err != nil {
			note(part.name, 0, err)
		}
		return
	}
}

// startSupervisor starts this program as the supervisor. A copy of it is run, because this program may be built anew or removed.
func (r *Runner) startSupervisor(ctx context.Context) error {
	if r.program == "" {
		return nil
	}
	environment := []string{"OMS_DATA=" + r.stack.Data(), "PATH=" + os.Getenv("PATH")}
	command, err := r.command(r.supervisor(), r.program, "supervise", r.stack.Root, environment)
	if err != nil {
		return err
	}
	if problem := r.supervises(); problem != nil {
		hanging, err := proc.Find(command.Record)
		if err == nil && hanging != nil {
			r.say("supervisor is restarted: %v", problem)
			err = hanging.Stop(ctx)
		}
		if err != nil {
			return err
		}
	}
	if err := r.touchLog(); err != nil {
		return err
	}
	_, _, err = proc.Ensure(ctx, command)
	return err
}

// touchLog notes in the time of the supervisor's log that it works.
func (r *Runner) touchLog() error {
	log, err := os.OpenFile(r.supervisor().log, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(log.Close(), os.Chtimes(log.Name(), time.Time{}, time.Now()))
}

// supervises says why the supervisor does not work, if it runs.
func (r *Runner) supervises() error {
	log, err := os.Stat(r.supervisor().log)
	if err != nil {
		return err
	}
	if last := log.ModTime(); time.Since(last) > silence {
		return fmt.Errorf("it has not looked since %s", last.Format(time.DateTime))
	}
	return nil
}
