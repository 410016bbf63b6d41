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

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
	"oms.internal/libs/requestid"
	"oms.internal/libs/version"
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

// Serve offers the endpoints as the micro service called name, with the version of the running build, in a queue group of that name so that one instance
// serves each request, until ctx ends. Then it takes no new requests and finishes those that it has.
func Serve(ctx context.Context, conn *nats.Conn, name string, log *slog.Logger, endpoints ...Endpoint) error {
	service, err := micro.AddService(conn, micro.Config{Name: name, Version: version.Get().Version, QueueGroup: name})
	if err != nil {
		return fmt.Errorf("nats service %s: %w", name, err)
	}
	jobs := make(chan func(), queueLength)
	var accepting sync.RWMutex
	stopped := false
	accept := func(endpoint Endpoint) micro.HandlerFunc {
		return func(request micro.Request) {
			if !awaitsReply(request) {
				log.Warn("nats request without an inbox", "subject", endpoint.subject, "reply", request.Reply())
				return
			}
			accepting.RLock()
			defer accepting.RUnlock()
			received := time.Now()
			if !stopped {
				select {
				case jobs <- func() { answer(conn, request, endpoint, received, log) }:
					return
				default:
				}
			}
			refuse(conn, request, fault.NewUnavailable(nil), log)
		}
	}
	for _, endpoint := range endpoints {
		if err := service.AddEndpoint(endpoint.name, accept(endpoint), micro.WithEndpointSubject(endpoint.subject)); err != nil {
			return errors.Join(fmt.Errorf("nats endpoint %s: %w", endpoint.name, err), service.Stop())
		}
	}
	var pool sync.WaitGroup
	for range workers {
		pool.Go(func() {
			for job := range jobs {
				job()
			}
		})
	}
	<-ctx.Done()
	// With the flush, what the server sent before it heard of the end is here, and still served.
	err = errors.Join(service.Stop(), flush(conn))
	accepting.Lock()
	stopped = true
	close(jobs)
	accepting.Unlock()
	pool.Wait()
	return errors.Join(err, flush(conn))
}

// flush waits until the server has what was sent, such as the last replies before the connection is closed.
func flush(conn *nats.Conn) error {
	if !conn.IsConnected() {
		return nil
	}
	return conn.FlushTimeout(time.Second)
}

func answer(conn *nats.Conn, request micro.Request, endpoint Endpoint, received time.Time, log *slog.Logger) {
	header := request.Headers()
	ctx := context.Background()
	if id := header.Get(requestid.Header); requestid.Valid(id) {
		ctx = requestid.Into(ctx, id)
	}
	// What is no member is nobody in particular.
	client, _ := strconv.ParseUint(header.Get(headerClient), 10, 64)
	ctx = fairshare.Into(ctx, client)
	ctx, cancel := context.WithDeadline(ctx, received.Add(parseTimeout(header.Get(headerTimeout))))
	defer cancel()
	reply, err := call(ctx, endpoint, request.Data())
	if err != nil {
		log.ErrorContext(ctx, "nats request failed", "subject", endpoint.subject, "error", err)
		refuse(conn, request, publicFault(ctx, err), log)
		return
	}
	encoded, err := json.Marshal(reply)
	if err == nil {
		err = respond(conn, request, encoded, nil)
	}
	if err != nil {
		log.ErrorContext(ctx, "nats reply", "subject", endpoint.subject, "error", err)
		refuse(conn, request, fault.NewInternal(err), log)
	}
}

// publicFault is the fault that a handler reported. That its time was over is not its failure.
func publicFault(ctx context.Context, err error) *fault.Error {
	failure := fault.Of(err)
	if failure.Code == fault.Internal && ctx.Err() != nil {
		return fault.NewTimeout(err)
	}
	return failure
}

func call(ctx context.Context, endpoint Endpoint, body []byte) (reply any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fault.NewInternal(fmt.Errorf("panic: %v", cause))
		}
	}()
	return endpoint.handle(ctx, body)
}

// refuse sends the public face of a fault: code, detail, fields, and when to come again.
func refuse(conn *nats.Conn, request micro.Request, failure *fault.Error, log *slog.Logger) {
	var fields []byte
	if len(failure.Fields) > 0 {
		encoded, err := json.Marshal(failure.Fields)
		if err != nil {
			log.Error("encode fault", "error", err)
		}
		fields = encoded
	}
	header := nats.Header{micro.ErrorCodeHeader: {string(failure.Code)}, micro.ErrorHeader: {failure.Detail}}
	if failure.RetryAfter > 0 {
		header.Set(headerRetryAfter, strconv.FormatInt(failure.RetryAfter.Milliseconds(), 10))
	}
	if err := respond(conn, request, fields, header); err != nil {
		log.Error("nats refuse", "subject", request.Subject(), "error", err)
	}
}

// respond replies to a request. The methods of micro.Request would do so too, but only until its handler has returned:
// micro then reads what they write, and our replies come from the pool.
func respond(conn *nats.Conn, request micro.Request, body []byte, header nats.Header) error {
	return conn.PublishMsg(&nats.Msg{Subject: request.Reply(), Header: header, Data: body})
}
