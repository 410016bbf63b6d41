package credential

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/gateway/internal/limit"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
)

const (
	// rememberedFor is how long an answer of accounts counts, from when it was asked for.
	rememberedFor = 5 * time.Second
	// maxFound and maxAbsent bound how many answers are remembered. Together they take about 5 MiB. They are apart, so that invented
	// credentials push out no real one.
	maxFound, maxAbsent = 1 << 14, 1 << 12
	// maxAsking is how many questions are under way at the same time, and maxWaiting how many requests wait for that. Networks take
	// turns, and one alone may have half of the places.
	maxAsking, maxWaiting = 8, 1024
)

// failures is how often an address may show a credential that does not exist and is not remembered. Beyond that nobody is asked for it.
var failures = limit.Rate{PerSecond: 10, Burst: 100}

// ErrUnknown says that a credential stands for nobody: it does not exist, has expired, or its session has ended.
var ErrUnknown = errors.New("no such credential")

// Bearer is for whom a credential stands, and until when.
type Bearer struct {
	Principal authn.Principal
	Expires   time.Time
}

// at returns the bearer, or ErrUnknown once it has expired. This gateway's clock decides, as it does on when a revocation is forgotten.
func (b Bearer) at(now time.Time) (Bearer, error) {
	if !now.Before(b.Expires) {
		return Bearer{}, ErrUnknown
	}
	return b, nil
}

// Ask asks accounts for whom a credential stands.
type Ask func(ctx context.Context, credential Digest) (accounts.CredentialReply, error)

// OverNATS asks accounts over NATS.
func OverNATS(conn *nats.Conn) Ask {
	return func(ctx context.Context, credential Digest) (accounts.CredentialReply, error) {
		return natsx.Call[accounts.CredentialReply](ctx, conn, accounts.SubjectCredential, accounts.CredentialRequest{
			Kind: accounts.CredentialKnox, Digest: credential[:],
		})
	}
}

// Finder finds out for whom credentials stand, and remembers it. It is safe for concurrent use.
type Finder struct {
	ask      Ask
	now      func() time.Time
	failures *limit.Failures
	line     *fairshare.Line[netip.Addr]
	found    *otter.Cache[Digest, answer]
	absent   *otter.Cache[Digest, time.Time] // when it was asked for
	lookUps  *prometheus.CounterVec
}

// answer is what accounts said, and when it was asked.
type answer struct {
	bearer Bearer
	asked  time.Time
}

// NewFinder returns a finder with a clock.
func NewFinder(ask Ask, now func() time.Time, metrics prometheus.Registerer) *Finder {
	finder := &Finder{
		ask: ask, now: now, failures: limit.NewFailures(failures, now),
		line: fairshare.NewLine[netip.Addr](fairshare.LineOptions{
			Resource: "credentials", Running: maxAsking, Waiting: maxWaiting,
		}),
		found:  otter.Must(&otter.Options[Digest, answer]{MaximumSize: maxFound}),
		absent: otter.Must(&otter.Options[Digest, time.Time]{MaximumSize: maxAbsent}),
		lookUps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_credential_lookups_total",
			Help: "Requests to accounts for whom an opaque credential stands, by outcome.",
		}, []string{"outcome"}),
	}
	metrics.MustRegister(append(finder.line.Collectors(), finder.lookUps)...)
	return finder
}

// Find returns for whom a credential stands that a client shows. ErrUnknown says that it stands for nobody. Every other error is a
// fault: TooManyRequests where the client's network has shown too many that do not exist or asks for too many at once, else Unavailable.
// ctx must have a deadline.
func (f *Finder) Find(ctx context.Context, client netip.Addr, credential Digest) (Bearer, error) {
	client = forwarded.Network(client)
	if bearer, decided, err := f.decide(client, credential); decided {
		return bearer, err
	}
	leave, err := f.line.Enter(ctx, client, 1)
	if err != nil {
		return Bearer{}, err
	}
	defer leave()
	// While it waited, somebody else may have asked for the same.
	if bearer, decided, err := f.decide(client, credential); decided {
		return bearer, err
	}
	return f.lookUp(ctx, client, credential)
}

// decide says what can be said without asking: what is remembered, or that the client may not ask.
func (f *Finder) decide(client netip.Addr, credential Digest) (bearer Bearer, decided bool, err error) {
	now := f.now()
	if asked, known := f.absent.GetIfPresent(credential); known && now.Sub(asked) < rememberedFor {
		return Bearer{}, true, ErrUnknown
	}
	known, genuine := f.found.GetIfPresent(credential)
	switch {
	case genuine && now.Sub(known.asked) < rememberedFor:
		bearer, err = known.bearer.at(now)
		return bearer, true, err
	case genuine:
		// It was not invented, so that whoever invents others at the same address is not in its way.
		return Bearer{}, false, nil
	}
	err = f.failures.Check(client)
	return Bearer{}, err != nil, err
}

// lookUp asks accounts. What was never known to be real counts as invented while it is asked for, or else all that are under way at once
// would be uncounted.
func (f *Finder) lookUp(ctx context.Context, client netip.Addr, credential Digest) (Bearer, error) {
	if _, genuine := f.found.GetIfPresent(credential); genuine {
		return f.askAccounts(ctx, credential)
	}
	if err := f.failures.Count(client); err != nil {
		return Bearer{}, err
	}
	bearer, err := f.askAccounts(ctx, credential)
	if !errors.Is(err, ErrUnknown) {
		f.failures.Forgive(client)
	}
	return bearer, err
}

// askAccounts asks accounts and remembers the answer.
func (f *Finder) askAccounts(ctx context.Context, credential Digest) (Bearer, error) {
	asked := f.now()
	reply, err := f.ask(ctx, credential)
	if err == nil && reply.Found && (reply.MemberID == 0 || reply.SessionID == 0) {
		err = errors.New("the reply names no member or no session")
	}
	if err != nil {
		f.lookUps.WithLabelValues("failed").Inc()
		return Bearer{}, fault.NewUnavailable(fmt.Errorf("look up a credential: %w", err))
	}
	// A credential with scopes that are not known here may do nothing.
	if !reply.Found || !slices.Contains(reply.Scopes, accounts.ScopeMember) {
		f.lookUps.WithLabelValues("absent").Inc()
		f.found.Invalidate(credential)
		f.absent.Set(credential, asked)
		return Bearer{}, ErrUnknown
	}
	f.lookUps.WithLabelValues("found").Inc()
	bearer := Bearer{
		Principal: authn.Principal{MemberID: reply.MemberID, SessionID: reply.SessionID, Admin: reply.Admin}, Expires: reply.ExpiresAt,
	}
	f.absent.Invalidate(credential)
	f.found.Set(credential, answer{bearer: bearer, asked: asked})
	return bearer.at(f.now())
}
