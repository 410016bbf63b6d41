package httpx_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// tagged starts a server with row 7 in version 12, which PUT changes if the precondition allows it.
func tagged(t *testing.T) *server {
	t.Helper()
	return start(t, nil, func(app *fiber.App) {
		app.Get("/row", func(c *fiber.Ctx) error {
			return httpx.AnswerTagged(c, http.StatusOK, 7, 12, map[string]string{"name": c.Query("name", "김")})
		})
		app.Post("/row", func(c *fiber.Ctx) error {
			return httpx.AnswerTagged(c, http.StatusCreated, 7, 1, map[string]string{"name": "박"})
		})
		app.Put("/row", func(c *fiber.Ctx) error {
			precondition, err := httpx.IfMatch(c, 7)
			if err != nil {
				return err
			}
			if !precondition.Allows(12) {
				return fault.New(fault.PreconditionFailed, "Changed.", nil)
			}
			return httpx.AnswerTagged(c, http.StatusCreated, 7, 13, map[string]string{"name": "이"})
		})
	})
}

// request is one with headers as they are, which may hold several lines.
func request(method, target, headers string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n" + headers + "\r\n"
}

func TestATagIsTheRowItsVersionAndAHashOfTheBody(t *testing.T) {
	t.Parallel()
	server := tagged(t)
	first := server.do(t, http.MethodGet, "/row", "")
	require.Regexp(t, `^"7\.12-[A-Za-z0-9_-]{22}"$`, first.header.Get("ETag"))
	require.Equal(t, "application/json", first.header.Get("Content-Type"))
	require.JSONEq(t, `{"name":"김"}`, first.body)
	require.Equal(t, first.header.Get("ETag"), server.do(t, http.MethodGet, "/row", "").header.Get("ETag"))
	require.NotEqual(t, first.header.Get("ETag"), server.do(t, http.MethodGet, "/row?name=x", "").header.Get("ETag"))
	require.Equal(t, first.header.Get("ETag"), server.do(t, http.MethodHead, "/row", "").header.Get("ETag"))
	changed := server.do(t, http.MethodPut, "/row", "")
	require.Equal(t, http.StatusCreated, changed.status)
	require.True(t, strings.HasPrefix(changed.header.Get("ETag"), `"7.13-`))
}

func TestWhatTheClientHasIsNotSentAgain(t *testing.T) {
	t.Parallel()
	server := tagged(t)
	tag := server.do(t, http.MethodGet, "/row", "").header.Get("ETag")
	for header, status := range map[string]int{
		tag:                                 304,
		"W/" + tag:                          304, // compared weakly
		`"a", ` + tag + `, "b"`:             304,
		`"a,b",,` + tag + ` , `:             304,
		`"a"` + "\r\nIf-None-Match: " + tag: 304,
		"*":                                 304,
		" * ":                               304,
		`"7.12"`:                            200,
		`"7.12-aaaaaaaaaaaaaaaaaaaaaa"`:     200, // another body
		`"` + strings.ToUpper(tag[1:]):      200,
		tag[1 : len(tag)-1]:                 400,
		`"unfinished`:                       400,
		`"a" "b"`:                           400,
		`w/"a"`:                             400,
		`W/ "a"`:                            400,
		`*, "a"`:                            400,
		`"a b"`:                             400,
		"":                                  400,
		",":                                 400,
		`"a", *`:                            400,
		`"a"` + "\r\nIf-None-Match: *":      400,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			got := server.raw(t, request(method, "/row", "If-None-Match: "+header+"\r\n"))
			require.Equal(t, status, got.status, "%s %q", method, header)
			if status == http.StatusNotModified {
				require.Equal(t, tag, got.header.Get("ETag"))
				require.Empty(t, got.body)
				require.NotContains(t, got.header, "Content-Type")
			}
		}
	}
}

func TestWhatWasDoneIsAnsweredWhateverTheClientHas(t *testing.T) {
	t.Parallel()
	server := tagged(t)
	for _, header := range []string{"*", "unreadable", `"1-x"`} {
		got := server.do(t, http.MethodPost, "/row", "", "If-None-Match", header)
		require.Equal(t, http.StatusCreated, got.status)
		require.JSONEq(t, `{"name":"박"}`, got.body)
	}
}

func TestA304EndsWhereItsHeadersEnd(t *testing.T) {
	t.Parallel()
	server := tagged(t)
	for range 3 { // on one kept connection
		require.Equal(t, http.StatusNotModified, server.do(t, http.MethodGet, "/row", "", "If-None-Match", "*").status)
		require.Equal(t, http.StatusOK, server.do(t, http.MethodGet, "/row", "").status)
	}
}

func TestAPreconditionComparesTheRowAndItsVersion(t *testing.T) {
	t.Parallel()
	server := tagged(t)
	const hash = "-aaaaaaaaaaaaaaaaaaaaaa"
	for headers, status := range map[string]int{
		"":                                  201,
		"If-Match: *\r\n":                   201,
		`If-Match: "7.12` + hash + "\"\r\n": 201, // the hash covers what is not the row's
		`If-Match: "7.11` + hash + `", "7.12` + hash + "\"\r\n":     201,
		`If-Match: "7.11` + hash + "\"\r\nIf-Match: \"7.12-x\"\r\n": 201,
		`If-Match: W/"7.12` + hash + "\"\r\n":                       412, // weak tags never match here
		`If-Match: "7.11` + hash + "\"\r\n":                         412,
		`If-Match: "8.12` + hash + "\"\r\n":                         412, // another row
		`If-Match: "12` + hash + "\"\r\n":                           412,
		`If-Match: "7.012` + hash + "\"\r\n":                        412,
		`If-Match: "7.12"` + "\r\n":                                 412,
		`If-Match: "7.1200` + hash + "\"\r\n":                       412,
		`If-Match: "of another server"` + "\r\n":                    400,
		"If-Match: 12\r\n":                                          400,
		"If-Match: \r\n":                                            400,
		`If-Match: "7.12` + hash + "\r\n":                           400,
		"If-None-Match: *\r\n":                                      412, // the row exists
		`If-None-Match: W/"7.12` + hash + "\"\r\n":                  412,
		`If-None-Match: "7.11` + hash + "\"\r\n":                    201,
		`If-None-Match: 11` + "\r\n":                                400,
		"If-Match: *\r\nIf-None-Match: *\r\n":                       412,
	} {
		require.Equal(t, status, server.raw(t, request(http.MethodPut, "/row", headers)).status, headers)
	}
}

func FuzzATagIsFoundInAnyListThatHoldsIt(f *testing.F) {
	f.Add(`"a", W/"b"`, uint64(7), uint64(1))
	f.Add(`*`, uint64(7), uint64(2))
	f.Add(`"a,b" , ,`, uint64(7), uint64(3))
	f.Fuzz(func(t *testing.T, list string, id, version uint64) {
		tag := fmt.Sprintf(`"%d.%d-x"`, id, version)
		if !httpx.AllowsForTest(list, id, version) && httpx.ReadableForTest(list) {
			require.True(t, httpx.AllowsForTest(tag+","+list, id, version))
			require.True(t, httpx.AllowsForTest(list+","+tag, id, version))
		}
	})
}

func TestAnyAnswerMayHaveATagOfItsOwn(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.All("/page", func(c *fiber.Ctx) error {
			if unchanged, err := httpx.Tag(c, "abc-gzip"); unchanged || err != nil {
				return err
			}
			return c.SendString("page")
		})
	})
	for held, status := range map[string]int{
		"": 200, `"abc"`: 200, `"abc-gzip"`: 304, `W/"abc-gzip"`: 304, `"x", "abc-gzip"`: 304, "*": 304, "abc-gzip": 400,
	} {
		header := []string{"If-None-Match", held}
		if held == "" {
			header = nil
		}
		got := server.do(t, http.MethodGet, "/page", "", header...)
		require.Equal(t, status, got.status, held)
		if status != http.StatusBadRequest {
			require.Equal(t, `"abc-gzip"`, got.header.Get("ETag"))
		}
		require.Equal(t, http.StatusOK, server.do(t, http.MethodPost, "/page", "", header...).status, "it has done its work")
	}
}
