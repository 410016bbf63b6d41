package httpapi

import (
	"strings"
	"unicode"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/field"
)

// The checks of a member's fields. An email is checked as it was sent: its normal form makes a K of U+212A, which no address holds.
var (
	emailChecks    = []field.Check{field.Length(1, account.MaxEmail), field.Email()}
	nameChecks     = []field.Check{field.Length(account.MinName, account.MaxName), field.Pattern(account.NamePattern)}
	nicknameChecks = []field.Check{field.Length(account.MinNickname, account.MaxNickname), field.Pattern(account.NicknamePattern)}
	phoneChecks    = []field.Check{field.Length(account.MinPhone, account.MaxPhone), field.Pattern(account.PhonePattern)}
	passwordChecks = []field.Check{
		normal(field.Length(account.MinPassword, account.MaxPassword)), normal(field.Form(account.IsStrongPassword)),
	}
)

// The checks of a login and of a proof. Both also take what a sign-up took before: a password that is strong only as it was sent,
// and an email that was an address by older rules, of which each has a character outside ASCII.
var (
	loginEmailChecks    = []field.Check{field.Length(1, account.MaxEmail), formerEmail(field.Email())}
	loginPasswordChecks = []field.Check{
		either(field.Length(account.MinPassword, account.MaxPassword)), either(field.Form(account.IsStrongPassword)),
	}
	proofChecks = []field.Check{either(field.Length(1, account.MaxPassword))}
)

func formerEmail(check field.Check) field.Check {
	return field.Check{NotText: check.NotText, Refuse: func(text string) string {
		isASCII := !strings.ContainsFunc(text, func(char rune) bool { return char > unicode.MaxASCII })
		if isASCII || !strings.Contains(text, "@") {
			return check.Refuse(text)
		}
		return ""
	}}
}

// normal applies a check to a password's normal form.
func normal(check field.Check) field.Check {
	return field.Check{NotText: check.NotText, Refuse: func(text string) string { return check.Refuse(account.NormalPassword(text)) }}
}

// either accepts a password where its normal form passes, or else the password as it was sent.
func either(check field.Check) field.Check {
	return field.Check{NotText: check.NotText, Refuse: func(text string) string {
		message := check.Refuse(account.NormalPassword(text))
		if message != "" && check.Refuse(text) == "" {
			return ""
		}
		return message
	}}
}

// readChange reads a change of a member. presence says what it means that a field is left out; gender and what only admins
// may send may always be.
func readChange(c *fiber.Ctx, presence field.Presence, admin bool) (account.Change, error) {
	object, err := field.Parse(c.Get(fiber.HeaderContentType), c.Body())
	if err != nil {
		return account.Change{}, err
	}
	change := readMember(object, presence)
	change.CurrentPassword = object.RawText("current_password", field.Optional, proofChecks...)
	change.UserAgent = c.Get(fiber.HeaderUserAgent)
	if admin {
		change.Active, change.Admin = object.Flag("is_active", field.Optional), object.Flag("is_admin", field.Optional)
	}
	return change, object.Err()
}

// readMember reads the fields that a new member has, too.
func readMember(object *field.Object, presence field.Presence) account.Change {
	return account.Change{
		Email:    object.RawText("email", presence, emailChecks...),
		Name:     object.Text("name", presence, nameChecks...),
		Nickname: object.Text("nickname", presence, nicknameChecks...),
		Phone:    object.Text("phone", presence, phoneChecks...),
		Gender:   object.Choice("gender", account.Genders()...),
		Password: object.RawText("password", presence, passwordChecks...),
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
	emailText := object.RawText("email", field.Required, loginEmailChecks...)
	passwordText := object.RawText("password", field.Required, loginPasswordChecks...)
	if err := object.Err(); err != nil {
		return "", "", err
	}
	return *emailText, *passwordText, nil
}
