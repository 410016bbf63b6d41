// Package pages answers what people open in a browser: the start page, Swagger UI, Redoc, and the description of the API that
// these show.
//
// The binary holds all of it, and no page loads anything from another host or runs a script that is not a file of this package; their
// Content-Security-Policy has browsers enforce that. The package knows neither members nor tokens: Swagger UI sends the token that it
// was given to the API, as every client does.
package pages

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

// Options say what pages are made of.
type Options struct {
	// Description is the OpenAPI description of the API as YAML.
	Description []byte
	// Parts are what the start page shows the health of, in this order.
	Parts []Part
	// Answers are the bytes that answers may keep in memory, shared among the networks of clients.
	Answers *fairshare.Pool[netip.Addr]
	Now     func() time.Time
}

// Pages answers the routes that router.Pages lists.
type Pages struct {
	health  *health
	answers *fairshare.Pool[netip.Addr]
	// prepared is called with the first request, so that a gateway whose pages nobody opens spends nothing on them.
	prepared func() (prepared, error)
}

// prepared is what is the same for all requests.
type prepared struct {
	contents map[string]*content // by path
	start    string              // the start page, without what each request shows
}

// New returns the pages.
func New(options Options) *Pages {
	return &Pages{
		health: newHealth(options.Parts, options.Now), answers: options.Answers,
		prepared: sync.OnceValues(func() (prepared, error) { return prepare(options.Description) }),
	}
}

func prepare(description []byte) (prepared, error) {
	contents, err := newContents(description)
	if err != nil {
		return prepared{}, err
	}
	start, err := read(contents, "start.html")
	return prepared{contents, start}, err
}

// Forward answers a request itself; it is named so because the router knows the pages as one more service. Who asks does not matter.
func (p *Pages) Forward(c *fiber.Ctx, _ authn.Principal, _ func(context.Context) error) error {
	have, err := p.prepared()
	if err != nil {
		return err
	}
	switch path := c.Path(); path {
	case "/":
		return answerStart(c, have.start, p.health.states(c.UserContext()))
	case "/swagger", "/redoc":
		// The reference is relative, so that it holds behind a proxy that cuts off a prefix and does not say so.
		c.Set(fiber.HeaderLocation, path[1:]+"/")
		return c.SendStatus(fiber.StatusMovedPermanently)
	default:
		content, found := have.contents[path]
		if !found {
			return fault.NewNotFound()
		}
		return content.answer(c, p.answers)
	}
}
