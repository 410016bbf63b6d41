package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	api "oms.internal/gateway"
	"oms.internal/gateway/internal/browser"
	"oms.internal/gateway/internal/credential"
	"oms.internal/gateway/internal/forwarded"
	"oms.internal/gateway/internal/lastseen"
	"oms.internal/gateway/internal/limit"
	"oms.internal/gateway/internal/pages"
	"oms.internal/gateway/internal/proxy"
	"oms.internal/gateway/internal/readyourwrites"
	"oms.internal/gateway/internal/revocation"
	"oms.internal/gateway/internal/router"
	"oms.internal/gateway/internal/token"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/httpx"
)

// jwksPath is where accounts publishes its public keys.
const jwksPath = "/.well-known/jwks.json"

// outside is what the gateway reaches the world with.
type outside struct {
	signer           *assertion.Signer
	conn             *nats.Conn
	accounts, orders *proxy.Instances
	// control is for keys and revocations: a service that is busy with requests must not make them wait.
	control http.RoundTripper
	metrics *prometheus.Registry
	now     func() time.Time
}

// assembled is the gateway, wired but not running.
type assembled struct {
	app      *fiber.App
	keys     *token.Keys
	follower *revocation.Follower
	reporter *lastseen.Reporter
	members  *readyourwrites.Members
	metrics  *prometheus.Registry
}

// controlBase is the URL of control requests; the instance that is asked puts its own scheme and host there.
const controlBase = "http://" + accounts.Service

func assemble(cfg Config, log *slog.Logger, world outside) (*assembled, error) {
	memory := revocation.NewMemory(world.now)
	control := &http.Client{Transport: world.control}
	follower := revocation.NewFollower(revocation.Options{
		Memory:       memory,
		Conn:         world.conn,
		Ask:          revocation.OverHTTP(control, controlBase, world.signer),
		MaxStaleness: cfg.RevocationMaxStaleness,
		Log:          log,
		Metrics:      world.metrics,
	})
	keys, err := token.NewKeys(controlBase+jwksPath, control, log, world.now)
	if err != nil {
		return nil, err
	}
	verifier := token.NewVerifier(token.Options{
		Issuer:      cfg.TokenIssuer,
		Audience:    cfg.TokenAudience,
		Keys:        keys,
		Credentials: credential.NewFinder(credential.OverNATS(world.conn), world.now, world.metrics),
		Revocations: follower,
		Now:         world.now,
	})
	members := readyourwrites.New(world.conn, log, world.now)
	answers := fairshare.NewPool[netip.Addr]("answers", cfg.AnswerBytes)
	world.metrics.MustRegister(answers.Collectors()...)
	service := func(name string, instances *proxy.Instances, readers ...proxy.AnswerReader) router.Forwarder {
		return proxy.NewService(proxy.Options{
			Name: name, Instances: instances, Signer: world.signer, Required: members.Required, Readers: readers, Answers: answers,
		})
	}
	limits := limit.New(cfg.RateLimitAddress, cfg.RateLimitMember, world.now)
	reporter := lastseen.NewReporter(lastseen.OverNATS(world.conn), log, world.now)
	admit := func(c *fiber.Ctx, principal authn.Principal) error {
		reporter.Note(principal.SessionID)
		return limits.Member(c, principal.MemberID)
	}
	routes, services := router.Routes, map[string]router.Forwarder{
		accounts.Service: service(accounts.Service, world.accounts, members.ReadAnswer, follower.ReadAnswer),
		orders.Service:   service(orders.Service, world.orders, members.ReadAnswer),
	}
	if cfg.Pages {
		routes = slices.Concat(routes, router.Pages)
		services[router.PagesService] = newPages(world, answers, func(context.Context) error {
			return errors.Join(keys.Ready(), follower.Current())
		})
	}
	table, err := router.NewTable(routes)
	if err != nil {
		return nil, err
	}
	requests := router.New(table, verifier, admit, services)
	policy := browser.Policy{
		Origins: cfg.CORSAllowedOrigins, RequestHeaders: cfg.CORSAllowedHeaders, TLS: cfg.TLSCertFile != "",
	}
	app := httpx.New(httpx.Options{
		Log: log, Metrics: world.metrics, Timeout: cfg.UpstreamTimeout, Client: cfg.TrustedProxies.Client,
		First:       []fiber.Handler{forwarded.Find(cfg.TrustedProxies), limits.Address},
		Decide:      []fiber.Handler{requests.Decide},
		Unreadable:  limits.Unreadable(cfg.TrustedProxies),
		EveryAnswer: policy.Complete,
	})
	app.Use(requests.Handle)
	return &assembled{
		app: app, keys: keys, follower: follower, reporter: reporter, members: members, metrics: world.metrics,
	}, nil
}

// newPages returns the pages. ready says whether the gateway itself is.
func newPages(world outside, answers *proxy.Answers, ready func(context.Context) error) *pages.Pages {
	readiness := func(of *proxy.Instances) func(context.Context) error {
		return func(ctx context.Context) error { return of.Ready(ctx, world.signer) }
	}
	return pages.New(pages.Options{
		Description: api.Description, Answers: answers, Now: world.now,
		Parts: []pages.Part{
			{Name: "Gateway", Ready: ready},
			{Name: "Accounts", Ready: readiness(world.accounts)},
			{Name: "Orders", Ready: readiness(world.orders)},
		},
	})
}
