package httpx_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

var errSecret = errors.New("dial db-7.internal:3306: password hunter2 refused")

// failing starts a server on which GET / returns err.
func failing(t *testing.T, err error) *server {
	t.Helper()
	return start(t, nil, func(app *fiber.App) { app.Get("/", func(*fiber.Ctx) error { return err }) })
}

// declaredCodes are the constants of type Code in libs/fault, so that a new one cannot be forgotten here.
func declaredCodes(t *testing.T) []fault.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../fault/fault.go", nil, 0)
	require.NoError(t, err)
	var codes []fault.Code
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			codes = append(codes, fault.Code(text))
		}
		return true
	})
	return codes
}

func TestEveryCodeHasItsStatus(t *testing.T) {
	t.Parallel()
	statuses := map[fault.Code]int{
		fault.Malformed: 400, fault.Invalid: 400, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404,
		fault.MethodNotAllowed: 405, fault.TooLarge: 413, fault.UnsupportedMediaType: 415, fault.Internal: 500,
		fault.Unavailable: 503, fault.Timeout: 504, fault.OutcomeUnknown: 503,
		fault.TooManyRequests: 429, fault.Conflict: 409, fault.PreconditionFailed: 412, fault.ExpectationFailed: 417, fault.KeyReused: 422,
	}
	reference, err := os.ReadFile("../../gateway/API.md")
	require.NoError(t, err)
	description, err := os.ReadFile("../../gateway/openapi.yaml")
	require.NoError(t, err)
	codes := declaredCodes(t)
	require.Len(t, codes, len(statuses))
	for _, code := range codes {
		require.Contains(t, statuses, code, "a new code needs a status here and in answer.go")
		got := failing(t, fmt.Errorf("wrapped: %w", fault.New(code, "Public.", errSecret))).do(t, http.MethodGet, "/", "")
		require.Equal(t, statuses[code], got.status, code)
		require.Contains(t, string(reference), fmt.Sprintf("| `%s` | %d |", code, got.status), "clients read of it in API.md")
		require.Equal(t, 1, strings.Count(string(description), "- urn:oms:fault:"+string(code)+"\n"), "%s is a type of Problem in openapi.yaml", code)
		problem := got.problem(t)
		require.Equal(t, "urn:oms:fault:"+string(code), problem["type"])
		require.Equal(t, "Public.", problem["detail"])
		require.NotContains(t, got.body, "hunter2")
		if got.status >= 500 {
			require.Equal(t, got.header.Get("X-Request-Id"), problem["request_id"])
		} else {
			require.NotContains(t, problem, "request_id")
		}
	}
}

func TestErrorsThatAreNoFaultsSayNothingOfThemselves(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"plain":            errSecret,
		"a code of nobody": fault.New("brewing", "I am a teapot on db-7.", errSecret),
		"fiber's":          fiber.NewError(http.StatusInternalServerError, errSecret.Error()),
		"fiber's refusal":  fiber.NewError(http.StatusTeapot, errSecret.Error()),
	} {
		server := failing(t, err)
		got := server.do(t, http.MethodGet, "/", "")
		require.GreaterOrEqual(t, got.status, 400, name)
		require.NotContains(t, got.body, "hunter2", name)
		require.NotContains(t, got.body, "db-7", name)
	}
}

func TestInternalErrorsAreInTheLogUnderTheRequestID(t *testing.T) {
	t.Parallel()
	server := failing(t, errSecret)
	got := server.do(t, http.MethodGet, "/", "")
	require.Equal(t, http.StatusInternalServerError, got.status)
	require.Equal(t, "A server error occurred.", got.problem(t)["detail"])
	require.Contains(t, server.logs.String(), `"error":"dial db-7.internal:3306: password hunter2 refused"`)
	require.Contains(t, server.logs.String(), `"request_id":"`+got.header.Get("X-Request-Id")+`"`)
}

func TestWhyATokenIsRefusedIsInTheLogAlone(t *testing.T) {
	t.Parallel()
	cause := errors.New("session 7 is revoked, key " + strings.Repeat("k", 5000))
	server := failing(t, fault.New(fault.Unauthenticated, "Invalid token.", cause))
	got := server.do(t, http.MethodGet, "/", "")
	require.Equal(t, http.StatusUnauthorized, got.status)
	require.NotContains(t, got.body, "revoked")
	require.Regexp(t, `"msg":"request".*"status":401.*"reason":"unauthenticated: Invalid token.: session 7 is revoked, key k{200,300}"`, server.logs.String())
}

func TestMessagesPerFieldStandAtTheTopOfTheBody(t *testing.T) {
	t.Parallel()
	got := failing(t, fault.NewInvalid(map[string][]string{
		"email": {"Enter a valid email address."}, "phone": {"Ensure this field has at least 7 characters.", "No."},
	})).do(t, http.MethodGet, "/", "")
	require.JSONEq(t, `{
		"type": "urn:oms:fault:invalid", "title": "Bad Request", "status": 400, "detail": "Invalid input.",
		"email": ["Enter a valid email address."], "phone": ["Ensure this field has at least 7 characters.", "No."]
	}`, got.body)
}

func TestFaultsBringTheirHeaders(t *testing.T) {
	t.Parallel()
	failure := fault.NewUnavailable(nil).WithHeader("WWW-Authenticate", "Token")
	failure.RetryAfter = 1500 * time.Millisecond
	got := failing(t, failure).do(t, http.MethodGet, "/", "")
	require.Equal(t, "2", got.header.Get("Retry-After"), "whole seconds, rounded up")
	require.Equal(t, "Token", got.header.Get("WWW-Authenticate"))
	require.Empty(t, failing(t, fault.NewNotFound()).do(t, http.MethodGet, "/", "").header.Get("Retry-After"))
}

func TestAnswerJSONWritesJSONAndTurnsAFailureIntoAFault(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.Get("/good", func(c *fiber.Ctx) error {
			return httpx.AnswerJSON(c, http.StatusCreated, map[string]string{"name": "김"})
		})
		app.Get("/bad", func(c *fiber.Ctx) error { return httpx.AnswerJSON(c, http.StatusOK, func() {}) })
	})
	got := server.do(t, http.MethodGet, "/good", "")
	require.Equal(t, answer{http.StatusCreated, got.header, `{"name":"김"}`}, got)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	got = server.do(t, http.MethodGet, "/bad", "")
	require.Equal(t, http.StatusInternalServerError, got.status)
	got.problem(t)
}
