package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/field"
)

// The checks of a member's fields.
var (
	emailChecks    = []field.Check{field.Length(1, account.MaxEmail), field.Email()}
	nameChecks     = []field.Check{field.Length(account.MinName, account.MaxName), field.Pattern(account.NamePattern)}
	nicknameChecks = []field.Check{field.Length(account.MinNickname, account.MaxNickname), field.Pattern(account.NicknamePattern)}
	phoneChecks    = []field.Check{field.Length(account.MinPhone, account.MaxPhone), field.Pattern(account.PhonePattern)}
	passwordChecks = []field.Check{field.Length(account.MinPassword, account.MaxPassword), field.Form(account.IsStrongPassword)}
)

// readChange reads a change of a member. presence says what it means that a field is left out; gender and what only admins
// may send may always be.
func readChange(c *fiber.Ctx, presence field.Presence, admin bool) (account.Change, error) {
	object, err := field.Parse(c.Get(fiber.HeaderContentType), c.Body())
	if err != nil {
		return account.Change{}, err
	}
	change := readMember(object, presence)
	change.UserAgent = c.Get(fiber.HeaderUserAgent)
	if admin {
		change.Active, change.Admin = object.Flag("is_active", field.Optional), object.Flag("is_admin", field.Optional)
	}
	return change, object.Err()
}

// readMember reads a member's fields.
func readMember(object *field.Object, presence field.Presence) account.Change {
	return account.Change{
		Email:           object.Text("email", presence, emailChecks...),
		Name:            object.Text("name", presence, nameChecks...),
		Nickname:        object.Text("nickname", presence, nicknameChecks...),
		Phone:           object.Text("phone", presence, phoneChecks...),
		Gender:          object.Choice("gender", account.Genders()...),
		Password:        object.Text("password", presence, passwordChecks...),
		CurrentPassword: object.Text("current_password", field.Optional, field.Length(1, account.MaxPassword)),
	}
}

func readNewMember(c *fiber.Ctx) (account.NewMember, error) {
	object, err := field.Parse(c.Get(fiber.HeaderContentType), c.Body())
	if err != nil {
		return account.NewMember{}, err
	}
	change := readMember(object, field.Required)
	if err := object.Err(); err != nil {
		return account.NewMember{}, err
	}
	member := account.NewMember{
		Email: *change.Email, Name: *change.Name, Nickname: *change.Nickname, Phone: *change.Phone, Password: *change.Password,
	}
	if change.Gender != nil {
		member.Gender = *change.Gender
	}
	return member, nil
}

func readCredentials(c *fiber.Ctx) (email, password string, err error) {
	object, err := field.Parse(c.Get(fiber.HeaderContentType), c.Body())
	if err != nil {
		return "", "", err
	}
	emailText := object.Text("email", field.Required, emailChecks...)
	passwordText := object.Text("password", field.Required, passwordChecks...)
	if err := object.Err(); err != nil {
		return "", "", err
	}
	return *emailText, *passwordText, nil
}
