package httpapi_test

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
)

// withField is the body of a complete sign-up in which one field has another value, given as JSON.
func withField(name, value string) string {
	fields := map[string]string{
		"email": `"new@x.test"`, "password": `"` + secret + `"`, "name": `"Casey"`, "nickname": `"casey"`, "phone": `"0212345"`, name: value,
	}
	var members []string
	for _, field := range []string{"email", "password", "name", "nickname", "phone", "gender", "current_password"} {
		if text, found := fields[field]; found {
			members = append(members, fmt.Sprintf("%q:%s", field, text))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

const (
	noType   = "none"
	badEmail = "Enter a valid email address."
	badForm  = "This value does not match the required pattern."
)

// badBodies are refused wherever a member is written. status is 400 unless given. Here each kind of mistake and each field stands once:
// libs/field and libs/email hold all the ways to make it.
var badBodies = map[string]struct {
	body        string
	contentType string
	status      int
	field       string // that the messages are for, "" for none
	message     string // that the field hears, "" for any
}{
	"not JSON":             {body: `{bad`},
	"a list":               {body: `[]`, field: "non_field_errors"},
	"very deep, closed":    {body: strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000)},
	"bad UTF-8":            {body: withField("name", "\"\xff\xfe\"")},
	"a lone low surrogate": {body: withField("password", `"`+secret+`\udc00"`)},

	"text/plain":         {body: "hello", contentType: "text/plain", status: http.StatusUnsupportedMediaType},
	"no type":            {body: "{}", contentType: noType, status: http.StatusUnsupportedMediaType},
	"a form of bad text": {body: "name=%ff", contentType: "application/x-www-form-urlencoded"},

	"email: object":      {body: withField("email", `{}`), field: "email", message: badEmail},
	"name: object":       {body: withField("name", `{}`), field: "name", message: badForm},
	"nickname: list":     {body: withField("nickname", `[]`), field: "nickname", message: badForm},
	"phone: bool":        {body: withField("phone", `true`), field: "phone", message: badForm},
	"password: list":     {body: withField("password", `["`+secret+`"]`), field: "password", message: badForm},
	"email: Kelvin":      {body: withField("email", `"\u212a@x.test"`), field: "email", message: badEmail},
	"email: null":        {body: withField("email", `null`), field: "email"},
	"email: too long":    {body: withField("email", `"`+strings.Repeat("a", 94)+`@x.test"`), field: "email"},
	"name: emoji":        {body: withField("name", `"🍤🍤"`), field: "name"},
	"name: line end":     {body: withField("name", `"Ca\nsey"`), field: "name"},
	"nickname: SQL":      {body: withField("nickname", `"a'; DROP TABLE members; --"`), field: "nickname"},
	"phone: full width":  {body: withField("phone", `"１２３４５６７"`), field: "phone"},
	"gender: list":       {body: withField("gender", `["M"]`), field: "gender", message: `"['M']" is not a valid choice.`},
	"gender: lower case": {body: withField("gender", `"m"`), field: "gender"},
	"password: NUL":      {body: withField("password", `"`+secret+`\u0000"`), field: "password"},
	"password: too long": {body: withField("password", `"`+strings.Repeat("aA1!", 33)+`"`), field: "password"},
}

func TestABadBodyIsRefusedAndWritesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	member := a.signUp(t, "a@x.test")
	before := a.store.Writes()
	for name, test := range badBodies {
		for _, target := range []struct{ method, path string }{
			{http.MethodPost, "/accounts/users"}, {http.MethodPut, userPath(member.MemberID)}, {http.MethodPatch, userPath(member.MemberID)},
		} {
			contentType := cmp.Or(test.contentType, mediaType)
			if contentType == noType {
				contentType = ""
			}
			got := a.ask(t, member, target.method, target.path, test.body, "Content-Type", contentType)
			require.Equal(t, max(test.status, http.StatusBadRequest), got.status, "%s: %s: %s", name, target.method, got.body)
			problem := got.problem(t)
			if test.field != "" {
				require.NotEmpty(t, problem[test.field], "%s: %s: %s", name, target.method, got.body)
			}
			if test.message != "" {
				require.Equal(t, []any{test.message}, problem[test.field], "%s: %s", name, target.method)
			}
		}
	}
	require.Equal(t, before, a.store.Writes(), "something was written")
}

func TestASignUpReadsNoFieldOfChanges(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i, extra := range []string{`"current_password":true`, `"current_password":""`, `"is_active":"maybe"`, `"is_admin":null`} {
		body := strings.Replace(withField("email", fmt.Sprintf(`"n%d@x.test"`, i)), "{", "{"+extra+",", 1)
		got := a.ask(t, anonymous, http.MethodPost, "/accounts/users", body)
		require.Equal(t, http.StatusCreated, got.status, "%s: %s", extra, got.body)
	}
}

func TestABadLoginIsRefusedAndWritesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.signUp(t, "a@x.test")
	before := a.store.Writes()
	for name, body := range map[string]string{
		"nothing": "", "not JSON": "{", "a list": "[]", "types": `{"email":{},"password":[]}`,
		"NUL":            `{"email":"a@x.test","password":"` + secret + `\u0000"}`,
		"lone surrogate": `{"email":"a@x.test","password":"` + secret + `\ud800"}`,
		"bad UTF-8":      "{\"email\":\"a@x.test\",\"password\":\"\xff\"}",
		"wildcard":       `{"email":"%@x.test","password":"` + secret + `"}`,
		"SQL":            `{"email":"a@x.test' OR '1'='1","password":"` + secret + `"}`,
		"other spelling": `{"email":"á@x.test","password":"` + secret + `"}`,
	} {
		got := a.ask(t, anonymous, http.MethodPost, "/auth/login", body)
		require.Equal(t, http.StatusBadRequest, got.status, "%s: %s", name, got.body)
		got.problem(t)
	}
	require.Equal(t, before, a.store.Writes())
}

func TestFlagsAreForAdmins(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin, who := a.admin(t), a.signUp(t, "a@x.test")
	for body, status := range map[string]int{
		`{"is_active":"maybe"}`: 400, `{"is_admin":null}`: 400, `{"is_admin":[]}`: 400, `{"is_admin":false}`: 200, `{"is_active":"true"}`: 200,
	} {
		require.Equal(t, status, a.ask(t, admin, http.MethodPatch, userPath(who.MemberID), body).status, body)
		require.Equal(t, 200, a.ask(t, who, http.MethodPatch, userPath(who.MemberID), body).status, "%s from a member is not read", body)
	}
	off := a.ask(t, admin, http.MethodPatch, userPath(who.MemberID), `{"is_active":false}`)
	require.Equal(t, 200, off.status)
	require.Equal(t, who.MemberID, off.revocations(t)[0].MemberID)
	require.Equal(t, 401, a.ask(t, who, http.MethodPatch, userPath(who.MemberID), `{}`).status)
}

func TestOneMailboxIsOneMemberOverHTTP(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	require.Equal(t, 201, a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("m@bücher.test")).status)
	for _, email := range []string{"m@xn--bcher-kva.test", "M@BÜCHER.test", "m@bu\u0308cher.test"} {
		taken := a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody(email))
		require.Equal(t, 400, taken.status, email)
		require.Equal(t, []any{"user with this email already exists."}, taken.problem(t)["email"], email)
		login := a.logIn(t, email)
		require.Equal(t, 200, login.status, login.body)
		require.Equal(t, "m@bücher.test", login.object(t)["user"].(map[string]any)["email"], "as it was written")
	}
	for _, email := range []string{"i@mailİhub.test", "i@mailihub.test"} {
		require.Equal(t, 201, a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody(email)).status, email)
	}
}

func TestCanonicallyEqualTextsAreOneTextOverHTTP(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const nfd, nfc = "Pa\u0301sswo\u0308rd'1", "P\u00e1ssw\u00f6rd'1"
	name := map[string]string{nfd: "\u1100\u1175\u11b7\u1109\u1165\u11ab\u1100\u1175", nfc: "김선기"}
	i := 0
	for _, pair := range [][2]string{{nfd, nfc}, {nfc, nfd}} {
		i++
		body := fmt.Sprintf(`{"email":"m%d@x.test","password":%q,"name":%q,"nickname":"casey","phone":"0212345"}`, i, pair[0], name[pair[0]])
		signedUp := a.ask(t, anonymous, http.MethodPost, "/accounts/users", body)
		require.Equal(t, 201, signedUp.status, signedUp.body)
		require.Equal(t, "김선기", signedUp.object(t)["user"].(map[string]any)["name"])
		login := a.ask(t, anonymous, http.MethodPost, "/auth/login", fmt.Sprintf(`{"email":"m%d@x.test","password":%q}`, i, pair[1]))
		require.Equal(t, 200, login.status, login.body)
		change := fmt.Sprintf(`{"email":"n%d@x.test","current_password":%q}`, i, pair[1])
		caller := principal(t, signedUp)
		require.Equal(t, 200, a.ask(t, caller, http.MethodPatch, userPath(caller.MemberID), change).status)
	}
}

func TestAMemberWhoseEmailIsNoAddressAnyMoreLogsInStill(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i, email := range []string{"\u212a@x.test", "v@exa\u200bmple.test", "m@☃.test"} {
		who := a.signUp(t, fmt.Sprintf("m%d@x.test", i))
		require.Equal(t, 400, a.logIn(t, email).status)
		a.store.Alter(who.MemberID, func(member *account.Member) { member.Email = email })
		require.Equal(t, 200, a.logIn(t, email).status, email)
		require.Equal(t, 400, a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody(email)).status, email)
	}
}

func TestAPasswordThatWasAllowedAsItWasSentLogsInStill(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	who := a.signUp(t, "a@x.test")
	const old = "Pa\u0301ssword01" // its accent was the character that is neither letter nor digit
	a.store.Alter(who.MemberID, func(member *account.Member) { member.PasswordHash = "hash of " + account.NormalPassword(old) })
	login := a.ask(t, anonymous, http.MethodPost, "/auth/login", fmt.Sprintf(`{"email":"a@x.test","password":%q}`, old))
	require.Equal(t, 200, login.status, login.body)
	signedUp := a.ask(t, anonymous, http.MethodPost, "/accounts/users", strings.Replace(signUpBody("b@x.test"), secret, old, 1))
	require.Equal(t, []any{badForm}, signedUp.problem(t)["password"], "a new password is judged in its normal form")
}
