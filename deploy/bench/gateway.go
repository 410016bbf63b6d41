package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"oms.internal/servers/packages"
	"oms.internal/servers/proc"

	"oms.internal/deploy/bench/internal/load"
	"oms.internal/deploy/bench/internal/report"
)

//go:embed nginx.conf.tmpl
var nginxText string

var nginxTemplate = template.Must(template.New("nginx.conf").Parse(nginxText))

// nginx is one process that is both the service behind, which answers 300 bytes, and a proxy before it.
type nginx struct {
	upstream, proxy string // URLs
	reaper          *proc.Reaper
}

// endNginx ends nginx in order, also when this process crashes: workers whose master was killed would live on.
const endNginx = `pid=$(cat "$1/nginx.pid") && kill "$pid" && n=0 && while kill -0 "$pid" && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done; exit 0`

func startNginx(ctx context.Context, folder string) (*nginx, error) {
	program, programErr := packages.Find("nginx")
	upstream, upstreamErr := proc.FreePort()
	proxy, proxyErr := proc.FreePort()
	// The log of the last run is large.
	if err := errors.Join(programErr, upstreamErr, proxyErr, os.RemoveAll(folder), os.MkdirAll(folder, 0o700)); err != nil {
		return nil, err
	}
	var config strings.Builder
	err := nginxTemplate.Execute(&config, map[string]any{
		"Root": os.Geteuid() == 0, "Upstream": proc.Loopback(upstream), "Proxy": proc.Loopback(proxy), "Answer": strings.Repeat("x", 300-len(`{"text":""}`)),
	})
	path := filepath.Join(folder, "nginx.conf")
	if err := errors.Join(err, os.WriteFile(path, []byte(config.String()), 0o600)); err != nil {
		return nil, err
	}
	n := &nginx{upstream: "http://" + proc.Loopback(upstream), proxy: "http://" + proc.Loopback(proxy)}
	if n.reaper, err = proc.StartReaper(endNginx, folder); err != nil {
		return nil, err
	}
	// It goes into the background once it listens.
	command := exec.CommandContext(ctx, program, "-p", folder, "-c", path) // #nosec G204 -- our own configuration
	if output, err := command.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("nginx: %w\n%s", err, output), n.reaper.Finish())
	}
	if err := n.whole(ctx, n.proxy); err != nil {
		return nil, errors.Join(err, n.reaper.Finish())
	}
	return n, nil
}

// whole reports whether the whole answer comes from a URL.
func (n *nginx) whole(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/orders/", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ContentLength != 300 {
		return fmt.Errorf("%s: %s, %d bytes", url, response.Status, response.ContentLength)
	}
	return nil
}

// gateway compares a gateway of its own, which has the place of orders taken by nginx, with nginx as a proxy.
func (b *bench) gateway(ctx context.Context) (err error) {
	row := report.Row{What: "gateway, verified token, 300 bytes, 32 connections", Against: "nginx as a proxy, no token check", Bar: 0.80}
	if !b.wanted(row.What) {
		return nil
	}
	server, err := startNginx(ctx, filepath.Join(b.Data, "nginx"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.reaper.Finish()) }()
	instance, end, err := b.beside(ctx, "gateway-alone", "gateway", "ORDERS_URL="+server.upstream)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	const connections = 32
	var requests []load.Request
	for _, token := range b.members.four {
		requests = append(requests, load.Request{Path: "/orders/", Token: token})
	}
	at := func(url string) measure {
		return func(ctx context.Context) (float64, error) {
			measured, err := load.WRK(ctx, url, connections, b.lasting, requests, "")
			return measured.Rate, err
		}
	}
	return b.compare(ctx, row, at(instance.URL), at(server.proxy))
}
