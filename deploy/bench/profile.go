package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"oms.internal/deploy/bench/internal/dataset"
	"oms.internal/deploy/bench/internal/load"
	"oms.internal/deploy/internal/systemtest"
)

// profileSeconds is how long the load lasts.
const profileSeconds = 15

// profile puts load on one route and saves a profile of the CPU and of the heap of each service.
func (b *bench) profile(ctx context.Context, o options, size dataset.Size) (err error) {
	method, path, _ := strings.Cut(o.profile, " ")
	if method != http.MethodGet && o.profile != "POST /orders/" && o.profile != "POST /auth/login" || !strings.HasPrefix(path, "/") {
		return errors.New(`-profile: a route is "GET /path?query" as an admin, "GET /orders/" as members, "POST /orders/" or "POST /auth/login"`)
	}
	b.system, err = open(ctx, filepath.Join(o.data, size.String()), size, b.out, "ADMIN_PROFILES=true")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.logIn(ctx); err != nil {
		return err
	}
	folder := filepath.Join(o.data, "profiles")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	b.lasting = profileSeconds * 1e9
	saved := make(chan error, 1)
	go func() { saved <- b.saveProfiles(ctx, folder) }()
	rate, err := b.loaded(method, path)(ctx)
	if err := errors.Join(err, <-saved); err != nil {
		return err
	}
	b.say("%s: %.0f/s while the profiles in %s were made; look at them with: go tool pprof -http=: FILE", o.profile, rate, folder)
	return nil
}

// loaded is the load of a route.
func (b *bench) loaded(method, path string) measure {
	switch {
	case path == "/auth/login":
		return b.loop(slowly, func(ctx context.Context, worker, turn int) error {
			_, err := b.token(ctx, 1000+(turn*slowly+worker)%(b.size.Members-2000))
			return err
		})
	case method == http.MethodPost:
		orders := &placed{system: b.system, mark: "profile "}
		return b.loop(connections, func(ctx context.Context, worker, _ int) error {
			return orders.place(ctx, b.members.writers[worker], false)
		})
	}
	tokens := []string{b.members.admin}
	if path == "/orders/" {
		tokens = b.members.four
	}
	var requests []load.Request
	for _, token := range tokens {
		requests = append(requests, load.Request{Path: path, Token: token})
	}
	return func(ctx context.Context) (float64, error) {
		measured, err := load.WRK(ctx, b.url, connections, b.lasting, requests, "")
		return measured.Rate, err
	}
}

// saveProfiles asks each service at the same time.
func (b *bench) saveProfiles(ctx context.Context, folder string) error {
	var problems [3]error
	var asking sync.WaitGroup
	for i, name := range services {
		asking.Go(func() {
			for _, kind := range []string{fmt.Sprintf("profile?seconds=%d", profileSeconds-3), "heap"} {
				url := "http://" + b.Address(strings.ToUpper(name)+"_ADMIN_PORT") + "/debug/pprof/" + kind
				status, content, err := systemtest.Fetch(ctx, url)
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("%s: %d %.200s", url, status, content)
				}
				if err == nil {
					short, _, _ := strings.Cut(kind, "?")
					err = os.WriteFile(filepath.Join(folder, name+"-"+strings.Replace(short, "profile", "cpu", 1)+".pprof"), []byte(content), 0o600)
				}
				problems[i] = errors.Join(problems[i], err)
			}
		})
	}
	asking.Wait()
	return errors.Join(problems[:]...)
}
