package httpapi

import (
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/contracts/orders"
)

// headerDegraded names the members of the answer that are missing because a part did not answer in time.
const headerDegraded = "Degraded"

// memberJSON is a member as the API shows it. Gender and last_order are absent, not null, where they are not for the
// caller; last_order also where it is not known.
type memberJSON struct {
	ID        uint64           `json:"id"`
	Email     string           `json:"email"`
	Name      string           `json:"name"`
	Nickname  string           `json:"nickname"`
	Phone     string           `json:"phone"`
	Gender    *json.RawMessage `json:"gender,omitempty"`
	LastOrder *json.RawMessage `json:"last_order,omitempty"`
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

func (a *API) toJSON(view account.View) (memberJSON, error) {
	member := view.Member
	result := memberJSON{ID: member.ID, Email: member.Email, Name: member.Name, Nickname: member.Nickname, Phone: member.Phone}
	if view.Masked {
		return result, nil
	}
	var gender *string
	if member.Gender != "" {
		gender = &member.Gender
	}
	var err error
	if result.Gender, err = rawJSON(gender); err != nil || view.LastOrderUnknown {
		return result, err
	}
	result.LastOrder, err = rawJSON(toResource(view.LastOrder, a.zone))
	return result, err
}

func toResource(order *account.Order, zone *time.Location) *orders.Resource {
	if order == nil {
		return nil
	}
	resource := orders.Order(*order).Resource(zone)
	return &resource
}

// rawJSON encodes a value that is shown as null when it is nil.
func rawJSON(value any) (*json.RawMessage, error) {
	encoded, err := json.Marshal(value)
	raw := json.RawMessage(encoded)
	return &raw, err
}

func markDegraded(c *fiber.Ctx, views ...account.View) {
	for _, view := range views {
		if view.LastOrderUnknown {
			c.Set(headerDegraded, "last_order")
		}
	}
}
