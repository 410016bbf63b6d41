package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/stack"
)

const (
	// readyPatience is how long a failover or a rejoin waits for the services. They find the new roles by themselves, within seconds.
	readyPatience = 15 * time.Second
	readyInterval = 100 * time.Millisecond
	sayInterval   = 3 * time.Second
)

// service is a service that a command waits for.
type service struct {
	name string
	// ready is nil if it serves, and with both database servers also is whole. Otherwise it says what the service lacks.
	ready func(ctx context.Context) error
}

// services are those of a stack that is whole, or has lost a database server.
func services(ports stack.Ports, whole bool) []service {
	var all []service
	for _, one := range []struct {
		name  string
		admin int
	}{{"orders", ports.OrdersAdmin}, {"accounts", ports.AccountsAdmin}, {"gateway", ports.GatewayAdmin}} {
		url := "http://" + proc.Loopback(one.admin) + "/readyz"
		all = append(all, service{one.name, func(ctx context.Context) error { return askReady(ctx, url, whole) }})
	}
	return all
}

// askReady asks a service whether it is ready. One that does not run is not waited for.
func askReady(ctx context.Context, url string, whole bool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	const shown = 500
	body, err := io.ReadAll(io.LimitReader(response.Body, shown))
	text := strings.Join(strings.FieldsFunc(string(body), func(r rune) bool { return r == '\n' }), "; ")
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK, whole && text != "ready":
		return errors.New(text)
	}
	return nil
}

// awaitReady waits until all services are ready, and says every few seconds what it waits for. It gives up in the end, because what a
// command has done stays done.
func awaitReady(ctx context.Context, services []service, say func(string)) {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	look, show := time.NewTicker(readyInterval), time.NewTicker(sayInterval)
	defer look.Stop()
	defer show.Stop()
	for _, one := range services {
		for {
			lacking := one.ready(ctx)
			if lacking == nil {
				break
			}
			select {
			case <-ctx.Done():
				say(fmt.Sprintf("%s: %v (see `make ps`)", one.name, lacking))
				return
			case <-show.C:
				say(fmt.Sprintf("waiting for %s: %v", one.name, lacking))
			case <-look.C:
			}
		}
	}
}
