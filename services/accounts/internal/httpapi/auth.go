package httpapi

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/field"
	"oms.internal/libs/httpx"
)

// client is who asks, as far as the gateway knows; the user agent is what the client says of itself.
func client(c *fiber.Ctx) account.Client {
	return account.NewClient(authn.From(c.UserContext()), c.Get(fiber.HeaderUserAgent))
}

func (a *API) signUp(c *fiber.Ctx) error {
	member, err := readNewMember(c)
	if err != nil {
		return err
	}
	key, err := httpx.IdempotencyKey(c)
	if err != nil {
		return err
	}
	login, replayed, err := a.service.SignUp(c.UserContext(), client(c), member, key)
	if err != nil {
		return err
	}
	if replayed {
		c.Set(httpx.HeaderIdempotencyReplayed, "true")
	}
	httpx.SetLocation(c, fmt.Sprintf("/accounts/users/%d", login.View.Member.ID))
	body := a.toLoginJSON(c, login)
	return httpx.AnswerTagged(c, fiber.StatusCreated, login.View.Member.ID, login.View.Member.Version, body)
}

func (a *API) logIn(c *fiber.Ctx) error {
	email, password, err := readCredentials(c)
	if err != nil {
		return err
	}
	login, err := a.service.LogIn(c.UserContext(), client(c), email, password)
	if err != nil {
		return err
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, a.toLoginJSON(c, login))
}

// toLoginJSON also sets the headers of an answer with tokens.
func (a *API) toLoginJSON(c *fiber.Ctx, login account.Login) loginJSON {
	markDegraded(c, login.View)
	forbidStoring(c)
	return loginJSON{User: a.toJSON(login.View), grantJSON: a.toGrantJSON(login.Grant)}
}

func (a *API) refresh(c *fiber.Ctx) error {
	object, err := field.Parse(c.Get(fiber.HeaderContentType), c.Body())
	if err != nil {
		return err
	}
	token := object.Text("refresh_token", field.Required)
	if err := object.Err(); err != nil {
		return err
	}
	grant, revocations, err := a.service.Refresh(c.UserContext(), client(c), *token)
	if err := tellGateway(c, revocations); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	forbidStoring(c)
	return httpx.AnswerJSON(c, fiber.StatusOK, a.toGrantJSON(grant))
}

// forbidStoring keeps tokens out of caches (RFC 6749, section 5.1).
func forbidStoring(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "no-store") }

func (a *API) logOut(c *fiber.Ctx) error {
	revocations, err := a.service.LogOut(c.UserContext(), authn.From(c.UserContext()))
	if err != nil {
		return err
	}
	return answerRevoked(c, revocations)
}

func (a *API) logOutAll(c *fiber.Ctx) error {
	revocations, err := a.service.LogOutAll(c.UserContext(), authn.From(c.UserContext()))
	if err != nil {
		return err
	}
	return answerRevoked(c, revocations)
}

func answerRevoked(c *fiber.Ctx, revocations []account.Revocation) error {
	if err := tellGateway(c, revocations); err != nil {
		return err
	}
	c.Status(fiber.StatusNoContent)
	return nil
}
