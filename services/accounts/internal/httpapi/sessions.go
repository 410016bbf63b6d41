package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
)

// sessionJSON is a session as the API shows it.
type sessionJSON struct {
	ID        uint64  `json:"id"`
	Created   string  `json:"created"`
	LastSeen  *string `json:"last_seen"`
	Address   string  `json:"address"`
	UserAgent string  `json:"user_agent"`
	Current   bool    `json:"current"`
}

func (a *API) sessions(c *fiber.Ctx) error {
	ctx := c.UserContext()
	caller := authn.From(ctx)
	requested := httpx.RequestedURL(c)
	request, err := listing.Parse(requested.RawQuery, account.Sessions, a.zone)
	if err != nil {
		return err
	}
	page, err := a.service.Sessions(ctx, caller, request)
	if err != nil {
		return err
	}
	show := func(session account.Session) sessionJSON { return a.toSessionJSON(session, caller) }
	return httpx.AnswerJSON(c, fiber.StatusOK, listing.NewPage(requested, request, page, show))
}

func (a *API) endSession(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	revocations, err := a.service.EndSession(c.UserContext(), authn.From(c.UserContext()), id)
	if err != nil {
		return err
	}
	return answerRevoked(c, revocations)
}

func (a *API) toSessionJSON(session account.Session, caller authn.Principal) sessionJSON {
	result := sessionJSON{
		ID: session.ID, Created: a.toTime(session.CreatedAt), Address: session.Address, UserAgent: session.UserAgent,
		Current: session.ID == caller.SessionID,
	}
	if !session.LastSeenAt.IsZero() {
		seen := a.toTime(session.LastSeenAt)
		result.LastSeen = &seen
	}
	return result
}
