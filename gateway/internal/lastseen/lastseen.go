// Package lastseen tells accounts when sessions were last used, so that members can see it. It keeps no request waiting and
// gives up what it cannot deliver: the next use tells the same, a minute later.
package lastseen

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
	"oms.internal/libs/pace"
)

const (
	// reportInterval is how often what was collected is sent.
	reportInterval = 3 * time.Second
	// quietFor is how long a session that was noted is not noted again.
	quietFor = time.Minute
	// maxSessions bounds what is remembered, to about 2 MiB. Sessions beyond are not reported until others are forgotten.
	maxSessions = 20_000
	callTimeout = 2 * time.Second
)

// Send delivers one batch of at most accounts.MaxLastSeen.
type Send func(ctx context.Context, batch []accounts.LastSeen) error

// OverNATS sends to accounts.
func OverNATS(conn *nats.Conn) Send {
	return func(ctx context.Context, batch []accounts.LastSeen) error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := natsx.Call[accounts.LastSeenReply](ctx, conn, accounts.SubjectLastSeen, accounts.LastSeenRequest{Sessions: batch})
		return err
	}
}

// Reporter collects the sessions of requests.
type Reporter struct {
	send Send
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex
	noted   map[uint64]time.Time
	pending []accounts.LastSeen
}

// NewReporter returns a reporter that works once Run has been called, with a clock.
func NewReporter(send Send, log *slog.Logger, now func() time.Time) *Reporter {
	return &Reporter{send: send, log: log, now: now, noted: map[uint64]time.Time{}}
}

// Note notes that a session is used now.
func (r *Reporter) Note(sessionID uint64) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	at, known := r.noted[sessionID]
	if known && now.Sub(at) < quietFor || !known && len(r.noted) >= maxSessions {
		return
	}
	r.noted[sessionID] = now
	r.pending = append(r.pending, accounts.LastSeen{SessionID: sessionID, At: now})
}

// Run reports until ctx ends. It does not fail while accounts is away.
func (r *Reporter) Run(ctx context.Context) error {
	pace.Every(ctx, reportInterval, func() { r.report(ctx) })
	return nil
}

// report sends what was collected. It gives up at the first failure, since the batches behind it would fail too.
func (r *Reporter) report(ctx context.Context) {
	sessions := r.collect()
	for len(sessions) > 0 {
		batch := sessions[:min(len(sessions), accounts.MaxLastSeen)]
		if err := r.send(ctx, batch); err != nil {
			r.log.Debug("sessions seen are not reported", "count", len(sessions), "error", err)
			return
		}
		sessions = sessions[len(batch):]
	}
}

// collect takes what is pending and forgets who has been quiet for long enough to be noted again.
func (r *Reporter) collect() []accounts.LastSeen {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for session, at := range r.noted {
		if now.Sub(at) >= quietFor {
			delete(r.noted, session)
		}
	}
	sessions := r.pending
	r.pending = nil
	return sessions
}
