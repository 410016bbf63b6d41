package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/field"
	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
)

func (a *API) list(c *fiber.Ctx) error {
	ctx := c.UserContext()
	caller := authn.From(ctx)
	requested := httpx.RequestedURL(c)
	request, err := listing.Parse(requested.RawQuery, a.service.Listable(caller), a.zone)
	if err != nil {
		return err
	}
	page, err := a.service.List(ctx, caller, request)
	if err != nil {
		return err
	}
	markDegraded(c, page.Values...)
	return httpx.AnswerJSON(c, fiber.StatusOK, listing.NewPage(requested, request, page, a.toJSON))
}

func (a *API) get(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	view, err := a.service.Get(c.UserContext(), authn.From(c.UserContext()), id)
	if err != nil {
		return err
	}
	return a.answerMember(c, view)
}

// replace is PUT: every field but gender must be there.
func (a *API) replace(c *fiber.Ctx) error { return a.update(c, field.Required) }

// change is PATCH: what is left out stays.
func (a *API) change(c *fiber.Ctx) error { return a.update(c, field.Optional) }

func (a *API) update(c *fiber.Ctx, presence field.Presence) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	caller := authn.From(ctx)
	// Whoever may not change the member hears so before anything about the body.
	if err := a.service.MayChange(ctx, caller, id); err != nil {
		return err
	}
	change, err := readChange(c, presence, caller.Admin)
	if err != nil {
		return err
	}
	if change.IfMatch, err = httpx.IfMatch(c, id); err != nil {
		return err
	}
	view, revocations, err := a.service.Update(ctx, caller, id, change)
	if err != nil {
		return err
	}
	if err := tellGateway(c, revocations); err != nil {
		return err
	}
	return a.answerMember(c, view)
}

func (a *API) delete(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	precondition, err := httpx.IfMatch(c, id)
	if err != nil {
		return err
	}
	revocations, err := a.service.Delete(c.UserContext(), authn.From(c.UserContext()), id, precondition)
	if err != nil {
		return err
	}
	return answerRevoked(c, revocations)
}

// answerMember writes a member with its tag. One without its last order, because that is not known, is not the same as one
// with it, so the tag covers the body, too.
func (a *API) answerMember(c *fiber.Ctx, view account.View) error {
	markDegraded(c, view)
	return httpx.AnswerTagged(c, fiber.StatusOK, view.Member.ID, view.Member.Version, a.toJSON(view))
}
