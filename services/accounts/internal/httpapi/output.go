package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/contracts/orders"
)

// headerDegraded names the members of the answer that are missing because a part did not answer in time.
const headerDegraded = "Degraded"

// memberJSON is a member as the API shows it. Gender and last_order are absent, not null, where they are not for the
// caller; last_order also where it is not known. Only admins see what stands between them.
type memberJSON struct {
	ID        uint64            `json:"id"`
	Email     string            `json:"email"`
	Name      string            `json:"name"`
	Nickname  string            `json:"nickname"`
	Phone     string            `json:"phone"`
	Gender    **string          `json:"gender,omitempty"`
	IsActive  *bool             `json:"is_active,omitempty"`
	IsAdmin   *bool             `json:"is_admin,omitempty"`
	CreatedAt string            `json:"created_at,omitempty"`
	LastOrder **orders.Resource `json:"last_order,omitempty"`
}

type loginJSON struct {
	User memberJSON `json:"user"`
	grantJSON
}

// grantJSON is what a client goes on with.
type grantJSON struct {
	Token         string `json:"token"`
	Expiry        string `json:"expiry"`
	RefreshToken  string `json:"refresh_token"`
	RefreshExpiry string `json:"refresh_expiry"`
}

func (a *API) toGrantJSON(grant account.Grant) grantJSON {
	return grantJSON{
		Token: grant.Token, Expiry: a.toTime(grant.Expiry),
		RefreshToken: grant.RefreshToken, RefreshExpiry: a.toTime(grant.RefreshExpiry),
	}
}

// toTime shows a time as last_order does.
func (a *API) toTime(at time.Time) string { return orders.FormatTime(at, a.zone) }

func (a *API) toJSON(view account.View) memberJSON {
	member := view.Member
	result := memberJSON{ID: member.ID, Email: member.Email, Name: member.Name, Nickname: member.Nickname, Phone: member.Phone}
	if view.Masked {
		return result
	}
	if view.ForAdmin {
		result.IsActive, result.IsAdmin, result.CreatedAt = &member.Active, &member.Admin, a.toTime(member.CreatedAt)
	}
	var gender *string
	if member.Gender != "" {
		gender = &member.Gender
	}
	result.Gender = &gender
	if !view.LastOrderUnknown {
		result.LastOrder = new(toResource(view.LastOrder, a.zone))
	}
	return result
}

func toResource(order *account.Order, zone *time.Location) *orders.Resource {
	if order == nil {
		return nil
	}
	resource := orders.Order(*order).Resource(zone)
	return &resource
}

func markDegraded(c *fiber.Ctx, views ...account.View) {
	for _, view := range views {
		if view.LastOrderUnknown {
			c.Set(headerDegraded, "last_order")
		}
	}
}
