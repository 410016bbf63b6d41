package natsx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"oms.internal/libs/fault"
	"oms.internal/libs/requestid"
)

// Bounds of the pool that serves requests: what exceeds them is refused at once instead of waiting past its deadline.
const (
	workers     = 16
	queueLength = 64
	maxTimeout  = 5 * time.Second
)

// Endpoint is one subject with its handler.
type Endpoint struct {
	name    string
	subject string
	handle  func(ctx context.Context, body []byte) (any, error)
}

// NewEndpoint returns an endpoint that decodes Request from JSON and encodes Reply to JSON. handle may run many times
// at once.
func NewEndpoint[Request, Reply any](name, subject string, handle func(context.Context, Request) (Reply, error)) Endpoint {
	return Endpoint{name: name, subject: subject, handle: func(ctx context.Context, body []byte) (any, error) {
		var request Request
		if err := json.Unmarshal(body, &request); err != nil {
			return nil, fault.New(fault.Malformed, "The request could not be read.", err)
		}
		return handle(ctx, request)
	}}
}

// Serve offers the endpoints as the micro service called name, in a queue group of that name so that one instance
// serves each request, until ctx ends. Then it takes no new requests and finishes those that it has.
func Serve(ctx context.Context, conn *nats.Conn, name string, log *slog.Logger, endpoints ...Endpoint) error {
	service, err := micro.AddService(conn, micro.Config{Name: name, Version: "1.0.0", QueueGroup: name})
	if err != nil {
		return fmt.Errorf("nats service %s: %w", name, err)
	}
	jobs := make(chan func(), queueLength)
	var pool sync.WaitGroup
	for range workers {
		pool.Go(func() {
			for job := range jobs {
				job()
			}
		})
	}
	var accepting sync.RWMutex
	stopped := false
	accept := func(endpoint Endpoint) micro.HandlerFunc {
		return func(request micro.Request) {
			accepting.RLock()
			defer accepting.RUnlock()
			received := time.Now()
			if !stopped {
				select {
				case jobs <- func() { answer(request, endpoint, received, log) }:
					return
				default:
				}
			}
			refuse(request, fault.NewUnavailable(nil), log)
		}
	}
	for _, endpoint := range endpoints {
		if err := service.AddEndpoint(endpoint.name, accept(endpoint), micro.WithEndpointSubject(endpoint.subject)); err != nil {
			return errors.Join(fmt.Errorf("nats endpoint %s: %w", endpoint.name, err), service.Stop())
		}
	}
	<-ctx.Done()
	err = service.Stop()
	accepting.Lock()
	stopped = true
	close(jobs)
	accepting.Unlock()
	pool.Wait()
	return errors.Join(err, flush(conn))
}

// flush sees the last replies out before the connection is closed.
func flush(conn *nats.Conn) error {
	if !conn.IsConnected() {
		return nil
	}
	return conn.FlushTimeout(time.Second)
}

func answer(request micro.Request, endpoint Endpoint, received time.Time, log *slog.Logger) {
	header := request.Headers()
	timeout := maxTimeout
	if wanted, err := strconv.ParseInt(header.Get(headerTimeout), 10, 32); err == nil {
		timeout = min(timeout, time.Duration(wanted)*time.Millisecond)
	}
	ctx := context.Background()
	if id := header.Get(requestid.Header); requestid.Valid(id) {
		ctx = requestid.Into(ctx, id)
	}
	ctx, cancel := context.WithDeadline(ctx, received.Add(timeout))
	defer cancel()
	reply, err := call(ctx, endpoint, request.Data())
	if err != nil {
		log.ErrorContext(ctx, "nats request failed", "subject", endpoint.subject, "error", err)
		refuse(request, fault.Of(err), log)
		return
	}
	if err := request.RespondJSON(reply); err != nil {
		log.ErrorContext(ctx, "nats reply", "subject", endpoint.subject, "error", err)
		refuse(request, fault.NewInternal(err), log)
	}
}

func call(ctx context.Context, endpoint Endpoint, body []byte) (reply any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fault.NewInternal(fmt.Errorf("panic: %v", cause))
		}
	}()
	return endpoint.handle(ctx, body)
}

// refuse sends the public face of a fault: code, detail and fields.
func refuse(request micro.Request, failure *fault.Error, log *slog.Logger) {
	var fields []byte
	if len(failure.Fields) > 0 {
		encoded, err := json.Marshal(failure.Fields)
		if err != nil {
			log.Error("encode fault", "error", err)
		}
		fields = encoded
	}
	if err := request.Error(string(failure.Code), failure.Detail, fields); err != nil {
		log.Error("nats refuse", "subject", request.Subject(), "error", err)
	}
}
