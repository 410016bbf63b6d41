package httpapi

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/export"
	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
)

// exportedJSON is a member in an export: as admins see it, without what only the orders service knows.
type exportedJSON struct {
	ID        uint64  `json:"id"`
	Email     string  `json:"email"`
	Name      string  `json:"name"`
	Nickname  string  `json:"nickname"`
	Phone     string  `json:"phone"`
	Gender    *string `json:"gender"`
	IsActive  bool    `json:"is_active"`
	IsAdmin   bool    `json:"is_admin"`
	CreatedAt string  `json:"created_at"`
}

// export answers with all members that the list of the same parameters has.
func (a *API) export(c *fiber.Ctx) error {
	caller := authn.From(c.UserContext())
	request, err := listing.Parse(httpx.RequestedURL(c).RawQuery, a.service.Listable(caller), a.zone)
	if err != nil && caller.Admin {
		return err
	}
	next, err := a.service.Export(c.UserContext(), caller, request)
	if err != nil {
		return err
	}
	return export.Answer(c, a.exports, "members", func(ctx context.Context) ([]exportedJSON, error) {
		members, err := next(ctx)
		exported := make([]exportedJSON, len(members))
		for i, member := range members {
			exported[i] = a.toExportedJSON(member)
		}
		return exported, err
	})
}

func (a *API) toExportedJSON(member account.Member) exportedJSON {
	exported := exportedJSON{
		ID: member.ID, Email: member.Email, Name: member.Name, Nickname: member.Nickname, Phone: member.Phone,
		IsActive: member.Active, IsAdmin: member.Admin, CreatedAt: a.toTime(member.CreatedAt),
	}
	if member.Gender != "" {
		exported.Gender = &member.Gender
	}
	return exported
}
