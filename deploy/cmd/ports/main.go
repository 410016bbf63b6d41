// Command ports keeps the ports at which the services in containers serve, so that a container and its successor share one: Docker gives
// a published port, and a name in Compose's network, to one container. It must not change with the services, because its end is a pause.
// So it imports little.
//
//	ports ADDRESS=TARGET…  keep the port at each address until SIGTERM
//
// A target that is a path is a Unix socket, at which processes take the port itself (package handover). To a target that is a URL,
// requests are forwarded. That is enough for the admin ports, because a service need not know who asks there. It also leaves a service's own
// admin port to its container, so that its health check asks the service itself, and not its successor.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"oms.internal/libs/handover"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "ports:", err)
		os.Exit(1) //nolint:gocritic // stop only resets signal handlers, and the process ends anyway
	}
}

// run keeps the ports until ctx ends, or one of them cannot be kept.
func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("there is nothing to keep: ports ADDRESS=TARGET…")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, len(arguments))
	for _, argument := range arguments {
		address, target, _ := strings.Cut(argument, "=")
		go func() {
			if err := keep(ctx, address, target); err != nil {
				ended <- fmt.Errorf("%s: %w", argument, err)
				return
			}
			ended <- nil
		}()
	}
	var problems []error
	for range arguments {
		problems = append(problems, <-ended)
		stop()
	}
	return errors.Join(problems...)
}

func keep(ctx context.Context, address, target string) error {
	if filepath.IsAbs(target) {
		keeper, err := handover.Keep(ctx, address, target)
		if err != nil {
			return err
		}
		return keeper.Run(ctx)
	}
	to, err := url.Parse(target)
	if err != nil || to.Host == "" {
		return errors.Join(errors.New("the target is neither a path nor a URL"), err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return pass(ctx, listener, to)
}

// The most that is open at the port of an admin server, and the most that a header there may have. A service could otherwise use up this
// process's memory, and with it end the ports of all others.
const (
	mostConnections = 16
	mostHeader      = 16 << 10 // bytes
)

// pass asks a server what is asked at the listener.
func pass(ctx context.Context, listener net.Listener, to *url.URL) error {
	const patience = 30 * time.Second
	server := &http.Server{
		ReadTimeout: patience, WriteTimeout: patience, MaxHeaderBytes: mostHeader,
		Handler: &httputil.ReverseProxy{
			Rewrite: func(request *httputil.ProxyRequest) { request.SetURL(to) },
			// A connection that is kept would go on asking one container when its successor is there.
			Transport: &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: mostHeader},
		},
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(limited{listener, make(chan struct{}, mostConnections)}); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// limited is a listener that closes connections for which no place is left.
type limited struct {
	net.Listener

	places chan struct{}
}

func (l limited) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return placed{connection, sync.OnceFunc(func() { <-l.places })}, nil
		default:
			_ = connection.Close() // whoever opened it is told so, and nothing was sent
		}
	}
}

// placed is a connection that has a place until it is closed.
type placed struct {
	net.Conn

	leave func()
}

func (p placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
