package container

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"oms.internal/servers/natsserver"
	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/database"
	"oms.internal/deploy/internal/stack"
)

// PS shows the parts as containers. It fails if a part does not run or is not ready.
func (r *Runner) PS(ctx context.Context) error {
	parts, err := r.look(ctx)
	if err != nil {
		return err
	}
	return stack.ShowParts(r.out, "CONTAINER", parts)
}

// explain shows the operator why a start failed: the states of all parts, and the ends of the logs of those parts among names that are not
// well. The reason is in the error, because that is printed last.
func (r *Runner) explain(ctx context.Context, err error, names []string) error {
	if ctx.Err() != nil {
		return err
	}
	parts, lookErr := r.look(ctx)
	if lookErr != nil {
		return errors.Join(err, lookErr)
	}
	_ = stack.ShowParts(r.out, "CONTAINER", parts) // err says already that a part is not well
	for _, part := range parts {
		if part.Well || !slices.Contains(names, part.Name) {
			continue
		}
		log, logErr := r.composeOutput(ctx, "logs", "--no-log-prefix", "--tail", "20", part.Name)
		if logErr != nil {
			return errors.Join(err, logErr)
		}
		_, _ = fmt.Fprintf(r.out, "\nthe end of the log of %s:\n%s\n", part.Name, log)
		err = fmt.Errorf("%w; %s: %s; its last line: %s", err, part.Name, part.State, lastLine(log))
	}
	return err
}

// container is what Compose says of a container.
type container struct {
	ID, Service, State, Health, Status, Labels string

	Publishers []struct{ PublishedPort int }

	// seen is what the engine itself says of it, if that is known.
	seen instance
	// primary says that a database server takes writes.
	primary bool
	// silent is why a part without a health check does not answer from here.
	silent error
}

// look returns the parts in the order of starting.
func (r *Runner) look(ctx context.Context) ([]stack.Part, error) {
	output, err := r.composeOutput(ctx, "ps", "--all", "--format", "json")
	if err != nil {
		return nil, err
	}
	found, err := containersIn(output)
	if err != nil {
		return nil, err
	}
	see(ctx, found)
	r.ask(ctx, found)
	var parts []stack.Part
	for _, name := range partNames {
		parts = append(parts, found[name].part(name))
	}
	return parts, nil
}

// see asks the engine for all containers at once. If one has just been replaced, the question fails, and the word of Compose is all that is
// known.
func see(ctx context.Context, found map[string]container) {
	services, ids := slices.Collect(maps.Keys(found)), []string{}
	for _, service := range services {
		ids = append(ids, found[service].ID)
	}
	if len(ids) == 0 {
		return
	}
	described, err := inspect(ctx, ids...)
	if err != nil {
		return
	}
	for i, service := range services {
		one := found[service]
		one.seen = described[i]
		found[service] = one
	}
}

// ask asks those parts from here that the engine does not ask, and the database servers which of them is the primary. Nobody can ask binlogs.
func (r *Runner) ask(ctx context.Context, found map[string]container) {
	databases := database.Ask(ctx, r.stack)
	for name, one := range found {
		if one.State != "running" {
			continue
		}
		switch name {
		case "nats":
			one.silent = natsserver.Ping(ctx, proc.Loopback(r.stack.Ports.NATS))
		case ports:
			one.silent = askPorts(ctx, proc.Loopback(r.stack.Ports.GatewayAdmin))
		default:
			one.primary = databases[name].Primary
		}
		found[name] = one
	}
}

// askPorts asks the process that keeps the ports, at an admin port. A request without a host it refuses by itself. Any other it would pass on
// to a service, which may hang.
func askPorts(ctx context.Context, addr string) error {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := connection.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		return err
	}
	_, err = bufio.NewReader(connection).ReadString('\n')
	return err
}

// containersIn reads what `docker compose ps` prints: a JSON object for each container.
func containersIn(output string) (map[string]container, error) {
	found := map[string]container{}
	for decoder := json.NewDecoder(strings.NewReader(output)); ; {
		var one container
		switch err := decoder.Decode(&one); {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("read what docker compose ps prints: %w", err)
		}
		// An operator's command runs in a container of its own for a moment. During an upgrade, and after one that was interrupted, a
		// service has two containers, of which the one that serves counts.
		if !strings.Contains(one.Labels, "com.docker.compose.oneoff=True") && !found[one.Service].part("").Well {
			found[one.Service] = one
		}
	}
}

// unchecked are the parts that have no health check.
var unchecked = []string{"nats", "binlogs", ports}

// part describes the part called name. c is empty if it has no container.
func (c container) part(name string) stack.Part {
	part := stack.Part{Name: name, ID: c.ID, State: "stopped"}
	for _, publisher := range c.Publishers {
		if port := publisher.PublishedPort; port != 0 && !slices.Contains(part.Ports, port) {
			part.Ports = append(part.Ports, port)
		}
	}
	newest := c.seen.checked()
	switch {
	case c.ID == "":
		return part
	case c.State != "running":
		part.State = c.Status
	case slices.Contains(unchecked, c.Service) && c.silent != nil:
		part.State = "not ready: " + c.silent.Error()
	case slices.Contains(unchecked, c.Service):
		part.State, part.Well = "running", true
	case newest != nil && newest.ExitCode != 0:
		// Compose calls a container healthy until many checks in a row have failed. The newest one tells now, and says why.
		part.State = "not ready: " + cmp.Or(strings.TrimPrefix(strings.TrimSpace(newest.Output), "not ready: "), c.Status)
	case c.Health == "healthy" && c.primary:
		part.State, part.Well = "ready as the primary", true
	case c.Health == "healthy":
		part.State, part.Well = "ready", true
		// A service says there whether it is degraded, and by what. MySQL prints the result of a query.
		if newest != nil && strings.HasPrefix(newest.Output, part.State) {
			part.State = strings.TrimSpace(newest.Output)
		}
	default: // for a moment of its start a container has no health at all
		part.State = "not ready: " + c.Status
	}
	part.State += c.seen.restarts()
	return part
}
