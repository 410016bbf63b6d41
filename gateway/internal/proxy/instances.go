package proxy

import (
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"oms.internal/libs/httpx"
)

const (
	// outFor is how long an instance is left out that is not there or drains. It is longer than an instance drains, so that
	// the next connection to it is refused at once and not cut in the middle.
	outFor = 2 * time.Second
	// hangTime is how long an instance may answer none of its requests before it counts as hanging.
	hangTime = 2 * time.Second
)

// Instances are the processes of one service, which answer requests in turn.
//
// One that refuses the connection, says that it drains, or hangs is left out for a while; then a single request tries
// it, and it is back once it answers. When all are left out, requests go to the one that has been out for longest.
//
// A request goes on to the next instance if nothing of it can have been sent (the connection did not come about), or if
// it only reads and its connection broke. What was sent and may change something is never sent again.
type Instances struct {
	service string
	all     []*instance
	turn    atomic.Uint64
	log     *slog.Logger
	now     func() time.Time
}

// instance is one process. Its client is its own, so that its connections can be closed alone.
type instance struct {
	client *client
	out    atomic.Pointer[outage] // nil while the instance is in use

	pending atomic.Int64 // requests without an answer yet
	quiet   atomic.Int64 // since when it has answered none of them, in Unix nanoseconds
}

// begin and end write quiet before pending, so that nobody who sees a pending request reads a quiet of long ago.
func (i *instance) begin(now time.Time) {
	if i.pending.Load() == 0 {
		i.quiet.Store(now.UnixNano())
	}
	i.pending.Add(1)
}

func (i *instance) end(now time.Time, answered bool) {
	if answered {
		i.quiet.Store(now.UnixNano())
	}
	i.pending.Add(-1)
}

// hangs reports whether the instance owes answers and has given none for too long.
func (i *instance) hangs(now time.Time) bool {
	return i.pending.Load() > 0 && now.UnixNano()-i.quiet.Load() >= int64(hangTime)
}

type outage struct {
	until time.Time
	tried atomic.Bool // a request is on its way to see whether the instance is back
}

// NewInstances returns the instances of a service at bases, URLs of scheme and host.
func NewInstances(service string, bases []*url.URL, log *slog.Logger, now func() time.Time) *Instances {
	instances := &Instances{service: service, log: log, now: now}
	for _, base := range bases {
		instances.all = append(instances.all, &instance{client: newClient(base)})
	}
	return instances
}

// CloseIdleConnections closes those of all instances.
func (s *Instances) CloseIdleConnections() {
	for _, each := range s.all {
		each.client.connections.CloseIdleConnections()
	}
}

// Ask has an instance answer before the deadline. It sets the host of the request.
func (s *Instances) Ask(request *fasthttp.Request, deadline time.Time) (*Answer, error) {
	turn := s.turn.Add(1)
	tried := make([]bool, len(s.all))
	for left := len(s.all) - 1; ; left-- {
		at := s.choose(turn, tried)
		tried[at] = true
		answer, err := s.ask(s.all[at], request, deadline)
		if err == nil || left == 0 || !mayGoOn(request, err) {
			return answer, err
		}
	}
}

// mayGoOn reports whether a request that failed may be sent to another instance.
func mayGoOn(request *fasthttp.Request, err error) bool {
	return isConnect(err) || !writes(string(request.Header.Method())) && !isTimeout(err)
}

// choose returns the number of the instance whose turn it is among those that were not tried yet.
func (s *Instances) choose(turn uint64, tried []bool) int {
	now := s.now()
	spare, spareUntil := -1, time.Time{}
	for i := range s.all {
		at := int((turn + uint64(i)) % uint64(len(s.all)))
		if tried[at] {
			continue
		}
		out := s.all[at].out.Load()
		if out == nil && s.all[at].hangs(now) {
			s.leaveOut(s.all[at], nil, "no answer")
			out = s.all[at].out.Load()
		}
		if out == nil || !now.Before(out.until) && out.tried.CompareAndSwap(false, true) {
			return at
		}
		if spare < 0 || out.until.Before(spareUntil) {
			spare, spareUntil = at, out.until
		}
	}
	return spare
}

// ask sends the request to one instance and notes how that went.
func (s *Instances) ask(one *instance, request *fasthttp.Request, deadline time.Time) (*Answer, error) {
	known := one.out.Load()
	one.begin(s.now())
	answer, err := one.client.ask(request, deadline)
	hung := err != nil && isTimeout(err) && one.hangs(s.now())
	one.end(s.now(), err == nil)
	switch {
	case err != nil && isConnect(err):
		s.leaveOut(one, known, "no connection")
	case hung:
		s.leaveOut(one, known, "no answer")
	case err != nil && known != nil:
		s.leaveOut(one, known, "not back yet")
	case err == nil && len(answer.Header.Peek(httpx.HeaderDraining)) > 0:
		s.leaveOut(one, known, "draining")
	case err == nil && known != nil && one.out.CompareAndSwap(known, nil):
		s.log.Info("instance is back", "upstream", s.service, "instance", one.client.host)
	}
	return answer, err
}

// leaveOut keeps requests from an instance. known is its outage when the request began. If that has changed meanwhile, leaveOut
// does nothing, because what happened later counts more.
func (s *Instances) leaveOut(one *instance, known *outage, reason string) {
	if !one.out.CompareAndSwap(known, &outage{until: s.now().Add(outFor)}) {
		return
	}
	one.client.connections.CloseIdleConnections()
	if known == nil {
		s.log.Warn("instance is left out", "upstream", s.service, "instance", one.client.host, "reason", reason)
	}
}
