// Package client is how Go programs use OMS over HTTP. It does by itself what gateway/API.md asks of every client:
//   - A Client holds one session, which many goroutines may share. When its token no longer counts, one of them gets a new one by the
//     refresh token, and all go on with that. A refresh whose answer was lost is sent again with the same refresh token.
//   - A call is sent again where that is safe: reads, writes under an Idempotency-Key, and whatever was surely not done. Sign-ups and
//     writes to orders have a new key for each call, unless the caller gives one, and the same key in each repetition.
//   - It waits as Retry-After says, or ever longer, and with a part by chance, so that clients do not all come back at once. Attempts
//     and waits have bounds.
//   - No answer is older than a write that the client was told of, also behind several gateways (Consistency-Token).
//   - A refusal is an *Error with its code. Lists can be walked row by row, and exports are read as they come.
//
// The methods are named by the operations of gateway/openapi.yaml, from which package api is generated; their parameters may be nil. It
// imports nothing of the server, and the gateway does not link it. A program that runs while `make up` does:
//
//	package main
//
//	import (
//		"context"
//		"crypto/rand"
//		"errors"
//		"fmt"
//		"log"
//		"strings"
//
//		"oms.internal/libs/client"
//		"oms.internal/libs/client/api"
//		"oms.internal/libs/fault"
//	)
//
//	func main() {
//		if err := run(context.Background()); err != nil {
//			log.Fatal(err)
//		}
//	}
//
//	func run(ctx context.Context) error {
//		oms, err := client.New("http://localhost:8080", client.Options{})
//		if err != nil {
//			return err
//		}
//		self, err := oms.SignUp(ctx, api.NewMember{
//			Email: strings.ToLower(rand.Text()) + "@example.com", Password: "Jhlee'spwd0",
//			Name: "김선기", Nickname: "sungi", Phone: "01083574364",
//		}, nil)
//		if err != nil {
//			return err
//		}
//		for _, product := range []string{"무지개 미니낭초", "꼬막무침"} {
//			if _, err := oms.CreateOrder(ctx, api.NewOrder{ProductName: product}, nil); err != nil {
//				return err
//			}
//		}
//		for order, err := range oms.Orders(ctx, &api.ListOrdersParams{Ordering: &[]string{"-paymented_at"}}) {
//			if err != nil {
//				return err
//			}
//			fmt.Println(order.OrderNumber, order.ProductName, order.State)
//			_, err = oms.TransitionOrder(ctx, order.ID, api.Transition{To: api.OrderStateShipped}, nil)
//			var refusal *client.Error
//			if errors.As(err, &refusal) && refusal.Code == fault.Forbidden {
//				fmt.Println("only staff ship:", refusal.Detail)
//			}
//		}
//		fmt.Println(self.Name, "logs out")
//		return oms.LogOut(ctx)
//	}
package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"oms.internal/libs/client/api"
	"oms.internal/libs/pace"
)

// Options choose how a client behaves. The zero value of each field stands for what its comment says.
type Options struct {
	// HTTP sends the requests; http.DefaultClient by default. A Timeout of it would also end exports. Redirects are not followed.
	HTTP *http.Client
	// Patience is how long an attempt may take, or an export until it begins; 15 s by default, which is longer than a gateway takes.
	Patience time.Duration
	// Attempts is how often a call is sent at most; 5 by default.
	Attempts int
	// LongestWait is how long a call waits for its next attempt at most; 30 s by default. A refusal that asks to wait longer ends the call.
	LongestWait time.Duration
	// Wait waits between attempts, or until the context ends. Tests need not wait.
	Wait func(context.Context, time.Duration) error
	// Random returns a number from 0 to below 1: how much of a wait's chance part is waited.
	Random func() float64
}

// Client is one caller of OMS: nobody, until it signs up, logs in or resumes a session. Goroutines may share it.
type Client struct {
	options Options

	// The same operations: in the session, in none, for the refresh of a session, and for answers that are read as they come.
	inSession, open, refreshing, streaming *api.Client

	grant     atomic.Pointer[api.Grant] // nil without a session; never changed, but replaced
	refreshes singleflight.Group
	told      atomic.Uint64 // the latest Consistency-Token
}

// New returns a client of the gateway at base, such as http://localhost:8080. A path in it is a prefix of all paths.
func New(base string, options Options) (*Client, error) {
	parsed, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("the base URL: %w", err)
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return nil, fmt.Errorf("the base URL %q is none of http or https with a host", base)
	}
	if options.HTTP == nil {
		options.HTTP = http.DefaultClient
	}
	// The gateway redirects nobody. Whoever else does must get no token, and would make a write a read.
	staying := *options.HTTP
	staying.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	options.HTTP = &staying
	if options.Patience == 0 {
		options.Patience = 15 * time.Second
	}
	if options.Attempts == 0 {
		options.Attempts = 5
	}
	if options.LongestWait == 0 {
		options.LongestWait = 30 * time.Second
	}
	if options.Wait == nil {
		options.Wait = pace.Wait
	}
	if options.Random == nil {
		options.Random = rand.Float64
	}
	c := &Client{options: options}
	sentBy := func(s sender) *api.Client {
		s.client = c
		return &api.Client{Server: strings.TrimSuffix(base, "/") + "/", Client: s}
	}
	c.inSession = sentBy(sender{session: true})
	c.open = sentBy(sender{})
	c.refreshing = sentBy(sender{repeatable: true})
	c.streaming = sentBy(sender{session: true, stream: true})
	return c, nil
}
