package main

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
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

const noType = "none"

// badBodies are refused wherever a member is written. status is 400 unless given.
var badBodies = map[string]struct {
	body        string
	contentType string
	status      int
	field       string // that the messages are for, "" for none
}{
	"half an object":       {body: `{"email":`},
	"not JSON":             {body: `{bad`},
	"two values":           {body: `{} {}`},
	"garbage behind":       {body: withField("name", `"Casey"`) + "x"},
	"a list":               {body: `[]`, field: "non_field_errors"},
	"a text":               {body: `"x"`, field: "non_field_errors"},
	"a number":             {body: `1`, field: "non_field_errors"},
	"null":                 {body: `null`, field: "non_field_errors"},
	"very deep":            {body: strings.Repeat("[", 30_000)},
	"very deep, closed":    {body: strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000)},
	"bad UTF-8":            {body: withField("name", "\"\xff\xfe\"")},
	"an overlong UTF-8":    {body: withField("name", "\"\xc0\xaf\"")},
	"a surrogate in UTF-8": {body: withField("name", "\"\xed\xa0\x80\"")},
	"a lone surrogate":     {body: withField("name", `"\ud800"`)},
	"a lone low surrogate": {body: withField("password", `"`+secret+`\udc00"`)},
	"a surrogate as name":  {body: `{"\ud800":1}`},

	"text/plain":         {body: "hello", contentType: "text/plain", status: http.StatusUnsupportedMediaType},
	"no type":            {body: "{}", contentType: noType, status: http.StatusUnsupportedMediaType},
	"XML":                {body: "<a/>", contentType: "application/xml", status: http.StatusUnsupportedMediaType},
	"a broken type":      {body: "{}", contentType: "application/json/;;", status: http.StatusUnsupportedMediaType},
	"multipart":          {body: "--x\r\n\r\n--x--", contentType: "multipart/form-data; boundary=x", status: http.StatusUnsupportedMediaType},
	"a broken form":      {body: "email=%zz", contentType: "application/x-www-form-urlencoded"},
	"a form of bad text": {body: "name=%ff", contentType: "application/x-www-form-urlencoded"},

	"email: NUL":             {body: withField("email", `"a\u0000@x.test"`), field: "email"},
	"email: quoted NUL":      {body: withField("email", `"\"\u0000\"@x.test"`), field: "email"},
	"email: object":          {body: withField("email", `{}`), field: "email"},
	"email: list":            {body: withField("email", `["new@x.test"]`), field: "email"},
	"email: bool":            {body: withField("email", `true`), field: "email"},
	"email: number":          {body: withField("email", `1`), field: "email"},
	"email: null":            {body: withField("email", `null`), field: "email"},
	"email: line end":        {body: withField("email", `"a@x.test\nb"`), field: "email"},
	"email: no domain":       {body: withField("email", `"a@"`), field: "email"},
	"email: too long":        {body: withField("email", `"`+strings.Repeat("a", 94)+`@x.test"`), field: "email"},
	"email: huge":            {body: withField("email", `"`+strings.Repeat("a", 60_000)+`@x.test"`), field: "email"},
	"name: NUL":              {body: withField("name", `"Ca\u0000sey"`), field: "name"},
	"name: emoji":            {body: withField("name", `"🍤🍤"`), field: "name"},
	"name: line end":         {body: withField("name", `"Ca\nsey"`), field: "name"},
	"name: a huge number":    {body: withField("name", `1e999999999`), field: "name"},
	"nickname: SQL":          {body: withField("nickname", `"a'; DROP TABLE members; --"`), field: "nickname"},
	"nickname: bool":         {body: withField("nickname", `false`), field: "nickname"},
	"phone: full width":      {body: withField("phone", `"１２３４５６７"`), field: "phone"},
	"phone: negative number": {body: withField("phone", `-1234567`), field: "phone"},
	"gender: list":           {body: withField("gender", `["M"]`), field: "gender"},
	"gender: lower case":     {body: withField("gender", `"m"`), field: "gender"},
	"gender: bool":           {body: withField("gender", `true`), field: "gender"},
	"password: NUL":          {body: withField("password", `"`+secret+`\u0000"`), field: "password"},
	"password: too long":     {body: withField("password", `"`+strings.Repeat("aA1!", 33)+`"`), field: "password"},
	"password: object":       {body: withField("password", `{"$ne":""}`), field: "password"},
}

func TestABadBodyIsRefusedAndWritesNothing(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	member := p.signUp(t, "a@x.test")
	before := p.content(t)
	for name, test := range badBodies {
		for _, target := range []struct{ method, path string }{
			{http.MethodPost, "/accounts/users"}, {http.MethodPut, userPath(member.MemberID)}, {http.MethodPatch, userPath(member.MemberID)},
		} {
			label := name + ": " + target.method
			contentType := cmp.Or(test.contentType, mediaType)
			if contentType == noType {
				contentType = ""
			}
			got := p.send(t, p.sign(t, member), target.method, target.path, contentType, test.body)
			want := max(test.status, http.StatusBadRequest)
			require.Equal(t, want, got.status, "%s: %s", label, got.body)
			problem := got.problem(t)
			if test.field != "" {
				require.NotEmpty(t, problem[test.field], "%s: %s", label, got.body)
			}
		}
	}
	require.Equal(t, before, p.content(t), "something was written")
}

func TestABadLoginIsRefusedAndWritesNothing(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	p.signUp(t, "a@x.test")
	before := p.content(t)
	for name, body := range map[string]string{
		"nothing": "", "not JSON": "{", "a list": "[]", "types": `{"email":{},"password":[]}`,
		"NUL":            `{"email":"a@x.test","password":"` + secret + `\u0000"}`,
		"lone surrogate": `{"email":"a@x.test","password":"` + secret + `\ud800"}`,
		"bad UTF-8":      "{\"email\":\"a@x.test\",\"password\":\"\xff\"}",
		"wildcard":       `{"email":"%@x.test","password":"` + secret + `"}`,
		"SQL":            `{"email":"a@x.test' OR '1'='1","password":"` + secret + `"}`,
		"other spelling": `{"email":"á@x.test","password":"` + secret + `"}`,
	} {
		got := p.do(t, anonymous, http.MethodPost, "/auth/login", body)
		require.Equal(t, http.StatusBadRequest, got.status, "%s: %s", name, got.body)
		got.problem(t)
	}
	require.Equal(t, before, p.content(t))
}

func TestABodyThatIsTooLargeIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	connection, err := net.Dial("tcp", p.HTTP.String())
	require.NoError(t, err)
	defer connection.Close()
	_, err = fmt.Fprintf(connection, "POST /accounts/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		httpx.BodyLimit+1)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
	require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))
}

func TestBadURLsAreRefused(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	member := p.signUp(t, "a@x.test")
	require.Equal(t, admin.MemberID, member.MemberID)
	_, err := p.db.ExecContext(t.Context(), "UPDATE members SET is_admin = TRUE") // changes ask the database for the right
	require.NoError(t, err)
	before := p.content(t)
	for path, status := range map[string]int{
		"/accounts/users/abc": 404, "/accounts/users/0": 404, "/accounts/users/-1": 404, "/accounts/users/1.5": 404,
		"/accounts/users/1e3": 404, "/accounts/users/0x1": 404, "/accounts/users/+1": 404, "/accounts/users/%20": 404,
		"/accounts/users/12345": 404, "/accounts/users/9223372036854775807": 404, "/accounts/users/9223372036854775808": 404,
		"/accounts/users/18446744073709551616": 404, "/accounts/users/" + strings.Repeat("9", 5000): 404,
		"/accounts/users/1%27%20OR%201=1": 404, "/accounts/users/1/x": 404, "/nowhere": 404, "/": 404,
		"/accounts/users/%00": 400, "/accounts/users/%ff": 400,

		"/accounts/users?limit=-1": 400, "/accounts/users?limit=501": 400, "/accounts/users?limit=99999999999999999999": 400,
		"/accounts/users?limit=abc": 400, "/accounts/users?limit=1.5": 400, "/accounts/users?limit=%20": 400,
		"/accounts/users?offset=-1": 400, "/accounts/users?offset=2147483648": 400, "/accounts/users?offset=-99999999999999999999": 400,
		"/accounts/users?offset=1e3": 400, "/accounts/users?search=%00": 400, "/accounts/users?search=%ff": 400,
		"/accounts/users?search=%ed%a0%80": 400, "/accounts/users?email=%00": 400, "/accounts/users?name=%c3%28": 400,
		"/accounts/users?search=a+b+c+d+e+f+g+h+i": 400, "/accounts/users?search=" + strings.Repeat("a", 101): 400,
		"/accounts/users?ordering=%ff": 400,
	} {
		got := p.do(t, member, http.MethodGet, path, "")
		require.Equal(t, status, got.status, "%s: %s", path, got.body)
		got.problem(t)
		if strings.HasPrefix(path, "/accounts/users/") {
			for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
				got := p.do(t, admin, method, path, signUpBody("b@x.test"))
				require.Equal(t, status, got.status, "%s %s: %s", method, path, got.body)
			}
		}
	}
	require.Equal(t, before, p.content(t))
}

func TestOddButHarmlessListParametersAreServed(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	p.signUp(t, "a@x.test")
	for _, query := range []string{
		"limit=", "limit=0", "limit=500", "offset=2147483647", "ordering=nonsense", "ordering=,,-,--id", "ordering=password_hash",
		"search=%25", "search=%5C", "search=%27%22%3B--", "search=%F0%9F%8D%A4", "email=%27", "name=%5C", "unknown=1", "limit=1&limit=2",
		"search=,,,", "ordering=-email,name,phone,gender,nickname,id", "search=a+b+c+d+e+f+g+h",
	} {
		got := p.do(t, admin, http.MethodGet, "/accounts/users?"+query, "")
		require.Equal(t, http.StatusOK, got.status, "%s: %s", query, got.body)
	}
}

func TestAWrongMethodSaysWhichAreRight(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	for _, test := range []struct{ method, path, allow string }{
		{http.MethodGet, "/auth/login", "POST"},
		{http.MethodPut, "/accounts/users", "GET, POST"},
		{http.MethodPost, "/accounts/users/1", "GET, PUT, PATCH, DELETE"},
		{http.MethodDelete, "/.well-known/jwks.json", "GET"},
	} {
		got := p.do(t, admin, test.method, test.path, "")
		require.Equal(t, http.StatusMethodNotAllowed, got.status, test.path)
		require.Equal(t, fmt.Sprintf("Method %q not allowed.", test.method), got.problem(t)["detail"])
		for method := range strings.SplitSeq(test.allow, ", ") {
			require.Contains(t, got.header.Get("Allow"), method, test.path)
		}
	}
}
