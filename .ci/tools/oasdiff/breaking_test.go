// Package oasdiff_test shows that the pinned oasdiff finds what breaks clients of the last release, and lets pass what does not. It is
// asked as `make api-check` asks it, about gateway/openapi.yaml against a copy of it that was changed. levels.txt has what breaks only clients
// that were generated: the name of an operation is the name of their function.
package oasdiff_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const description = "../../../gateway/openapi.yaml"

// replacement is a text of the description, of which the first occurrence is replaced.
type replacement struct{ old, by string }

// compare returns what oasdiff says of the description after a change, and its exit code. Its further arguments are for oasdiff.
func compare(t *testing.T, change replacement, arguments ...string) (said string, code int) {
	t.Helper()
	text, err := os.ReadFile(description)
	require.NoError(t, err)
	require.NotZero(t, strings.Count(string(text), change.old), "the test changes what is not there any more")
	changed := filepath.Join(t.TempDir(), "changed.yaml")
	require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(string(text), change.old, change.by, 1)), 0o600))
	arguments = append([]string{"tool", "oasdiff", "breaking", "--fail-on", "WARN", "--severity-levels", "levels.txt", description, changed}, arguments...)
	output, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(output), failed.ExitCode()
	}
	require.NoError(t, err, "%s", output)
	return string(output), 0
}

func TestWhatBreaksAClientOfTheLastReleaseIsFound(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change replacement
		want   string
	}{
		"a path goes":                     {replacement{"  /auth/logoutall:\n", "  /auth/logouteverywhere:\n"}, "api-path-removed-without-deprecation"},
		"a method goes":                   {replacement{"    patch:\n      operationId: changeOrder\n", "    trace:\n      operationId: changeOrder\n"}, "api-removed-without-deprecation"},
		"a parameter goes":                {replacement{"        - { $ref: '#/components/parameters/States' }\n", ""}, "request-parameter-removed"},
		"a field is required":             {replacement{"      required: [product_name]\n", "      required: [product_name, customer]\n"}, "request-property-became-required"},
		"a field takes less":              {replacement{"minLength: 1, maxLength: 500", "minLength: 1, maxLength: 50"}, "request-property-max-length-decreased"},
		"a form of the body goes":         {replacement{"        application/x-www-form-urlencoded:\n", "        application/xml:\n"}, "request-body-media-type-removed"},
		"an answer lacks a member":        {replacement{"      required: [id, customer, order_number, product_name, paymented_at, state]\n", "      required: [id, customer, order_number, paymented_at, state]\n"}, "response-property-became-optional"},
		"a member has another type":       {replacement{"        order_number: { type: string }\n", "        order_number: { type: integer }\n"}, "response-property-type-changed"},
		"an answer has another status":    {replacement{"        '200': { $ref: '#/components/responses/LoggedIn' }\n", "        '201': { $ref: '#/components/responses/LoggedIn' }\n"}, "response-success-status-removed"},
		"an answer lacks a header":        {replacement{"        Location: { $ref: '#/components/headers/Location' }\n", ""}, "required-response-header-removed"},
		"an order has a state more":       {replacement{"enum: [paid, preparing, shipped, delivered, cancelled]", "enum: [paid, preparing, shipped, delivered, cancelled, lost]"}, "response-property-enum-value-added"},
		"a public route asks for a token": {replacement{"      security: []\n", ""}, "api-security-anonymous-access-removed"},
		"a route is for fewer people":     {replacement{"        - Token: [self]\n", "        - Token: [admin]\n"}, "api-security-scope-added"},
		"a route has another name":        {replacement{"operationId: logIn\n", "operationId: signIn\n"}, "api-operation-id-removed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, code := compare(t, test.change)
			require.Contains(t, said, "["+test.want+"]")
			require.Equal(t, 1, code)
		})
	}
}

func TestWhatAddsToTheDescriptionBreaksNobody(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]replacement{
		"nothing":                      {"openapi:", "openapi:"},
		"another text":                 {"summary: Log in\n", "summary: Log in with an email\n"},
		"a field that may be left out": {"        order_number: { $ref: '#/components/schemas/OrderNumber' }\n", "        order_number: { $ref: '#/components/schemas/OrderNumber' }\n        memo: { type: string }\n"},
		"a member of an answer":        {"        order_number: { type: string }\n", "        order_number: { type: string }\n        memo: { type: string }\n"},
		"a parameter":                  {"        - { $ref: '#/components/parameters/States' }\n", "        - { $ref: '#/components/parameters/States' }\n        - { $ref: '#/components/parameters/Since' }\n"},
		"a route": {"  /auth/logoutall:\n", "  /auth/ping:\n    get:\n      operationId: ping\n      responses:\n        '204': { $ref: '#/components/responses/Done' }\n" +
			"  /auth/logoutall:\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, code := compare(t, change)
			require.Zero(t, code, said)
		})
	}
}

func TestABreakIsLetThroughOnlyIfItIsNamed(t *testing.T) {
	t.Parallel()
	accepted := filepath.Join(t.TempDir(), "accepted.md")
	named := "- POST /auth/logoutall API path removed without deprecation: it must go.\n"
	require.NoError(t, os.WriteFile(accepted, []byte(named), 0o600))
	ignore := []string{"--err-ignore", accepted, "--warn-ignore", accepted}
	said, code := compare(t, replacement{"  /auth/logoutall:\n", "  /auth/logouteverywhere:\n"}, ignore...)
	require.Zero(t, code, said)
	said, code = compare(t, replacement{"  /auth/logout:\n", "  /auth/goodbye:\n"}, ignore...)
	require.Contains(t, said, "/auth/logout")
	require.Equal(t, 1, code, said)
}
