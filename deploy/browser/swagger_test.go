package browser

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const password = "Jhlee'spwd0"

// newEmail is one that nobody has.
func newEmail() string { return strings.ToLower(rand.Text()) + "@browser.test" }

// operation finds the panel of an operation in Swagger UI.
func operation(id string) string { return fmt.Sprintf(`[id^="operations-"][id$="-%s"]`, id) }

// send opens an operation, sends a request with a body, unless that is nil, and returns the answer, which must have the status.
func send(t *testing.T, b *tab, id string, body any, status int) (answer map[string]any) {
	t.Helper()
	panel := operation(id)
	b.do(t, chromedp.WaitVisible(chromedp.CSS(panel)))
	if !get(t, b, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q).classList.contains('is-open')", panel))) {
		b.click(t, panel+" .opblock-summary-control")
	}
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		b.enter(t, panel+" textarea.body-param__text", string(encoded))
	}
	b.click(t, panel+" button.execute")
	live := panel + " .live-responses-table .response "
	require.Contains(t, b.text(t, live+".response-col_status"), fmt.Sprint(status))
	require.NoError(t, json.Unmarshal([]byte(b.text(t, live+".response-col_description .highlight-code code")), &answer))
	return answer
}

// signUp signs a member up and returns its token.
func signUp(t *testing.T, b *tab, email string) string {
	t.Helper()
	answer := send(t, b, "signUp", map[string]any{
		"email": email, "password": password, "name": "김선기", "nickname": "sungi", "phone": "01083574364",
	}, http.StatusCreated)
	return answer["token"].(string)
}

// authorize enters what a scheme of the description asks for.
func authorize(t *testing.T, b *tab, scheme, value string) {
	t.Helper()
	b.click(t, ".auth-wrapper .btn.authorize")
	// The forms of the schemes come in the description's order; each begins with the scheme's name.
	form := get(t, b, chromedp.Evaluate[int](fmt.Sprintf(
		`1 + [...document.querySelectorAll(".auth-container")].findIndex((form) => form.querySelector("h4 code").textContent === %q)`, scheme)))
	require.Positive(t, form, "no scheme is called %s", scheme)
	container := fmt.Sprintf(".auth-container:nth-of-type(%d)", form)
	b.enter(t, container+" input", value)
	b.click(t, container+" button.authorize")
	b.click(t, ".auth-container button.btn-done")
}

func TestSomebodySignsUpAuthorizesOrdersAndListsInSwaggerUI(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ scheme, entered, sent string }{
		"as a bearer token": {"Bearer", "%s", "Bearer %s"},
		"with its scheme":   {"Token", "Token %s", "Token %s"},
		"as it was copied":  {"Token", "%s", "Token %s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, gateway(), "/swagger/")
			email := newEmail()
			signUp(t, b, email)
			token := send(t, b, "logIn", map[string]any{"email": email, "password": password}, http.StatusOK)["token"].(string)
			authorize(t, b, test.scheme, fmt.Sprintf(test.entered, token))
			order := send(t, b, "createOrder", map[string]any{"product_name": "무지개 미니낭초"}, http.StatusCreated)
			require.Equal(t, "paid", order["state"])
			require.Equal(t, fmt.Sprintf(test.sent, token), b.asked(t, http.MethodPost, "/orders/").Headers["Authorization"])
			list := send(t, b, "listOrders", nil, http.StatusOK)
			require.InDelta(t, 1, list["count"], 0)
			require.Equal(t, order["id"], list["results"].([]any)[0].(map[string]any)["id"])
		})
	}
}
