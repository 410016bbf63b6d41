package httpapi

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/httpx"
)

func (a *API) signUp(c *fiber.Ctx) error {
	member, err := readNewMember(c)
	if err != nil {
		return err
	}
	login, err := a.service.SignUp(c.UserContext(), member)
	if err != nil {
		return err
	}
	c.Location(fmt.Sprintf("/accounts/users/%d", login.View.Member.ID))
	return a.answerLogin(c, fiber.StatusCreated, login)
}

func (a *API) logIn(c *fiber.Ctx) error {
	email, password, err := readCredentials(c)
	if err != nil {
		return err
	}
	login, err := a.service.LogIn(c.UserContext(), email, password)
	if err != nil {
		return err
	}
	return a.answerLogin(c, fiber.StatusOK, login)
}

func (a *API) answerLogin(c *fiber.Ctx, status int, login account.Login) error {
	user, err := a.toJSON(login.View)
	if err != nil {
		return err
	}
	markDegraded(c, login.View)
	return httpx.AnswerJSON(c, status, loginJSON{User: user, Token: login.Token})
}

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
