package pages

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	api "oms.internal/gateway"
	"oms.internal/gateway/internal/router"
)

// made are the paths of what is made for each request.
var made = []string{"/", "/swagger", "/redoc"}

func TestTheTableHasARowForEachContentAndEachRowAnswers(t *testing.T) {
	t.Parallel()
	contents, err := newContents(api.Description)
	require.NoError(t, err)
	var rows []string
	for _, row := range router.Pages {
		rows = append(rows, row.Pattern)
	}
	require.ElementsMatch(t, slices.Concat(slices.Collect(maps.Keys(contents)), made), rows)
	pages := serve(t, Part{"Orders", ready})
	for _, path := range rows {
		response, body := pages.ask(t, http.MethodGet, path)
		if path == "/swagger" || path == "/redoc" {
			require.Equal(t, http.StatusMovedPermanently, response.StatusCode, path)
			location, err := response.Location()
			require.NoError(t, err)
			require.Equal(t, pages.url+path+"/", location.String())
			continue
		}
		require.Equal(t, http.StatusOK, response.StatusCode, path)
		require.NotEmpty(t, body, path)
		require.NotEmpty(t, response.Header.Get("Content-Type"), path)
	}
}

// elements calls visit for each element of a page.
func elements(t *testing.T, page string, visit func(*html.Node)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for node := range root.Descendants() {
		if node.Type == html.ElementNode {
			visit(node)
		}
	}
}

func TestPagesNameOnlyWhatThisHostServesAndHoldNoScriptsOrStylesThemselves(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	for _, path := range []string{"/", "/swagger/", "/redoc/"} {
		_, page := pages.ask(t, http.MethodGet, path)
		base, err := url.Parse(pages.url + path)
		require.NoError(t, err)
		found := 0
		elements(t, page, func(node *html.Node) {
			for _, attribute := range node.Attr {
				require.NotEqual(t, "style", attribute.Key, path)
				require.False(t, strings.HasPrefix(attribute.Key, "on"), "%s: %s", path, attribute.Key)
				if attribute.Key != "href" && attribute.Key != "src" {
					continue
				}
				found++
				target, err := base.Parse(attribute.Val)
				require.NoError(t, err)
				require.Equal(t, base.Host, target.Host, attribute.Val)
				response, _ := pages.ask(t, http.MethodGet, target.RequestURI())
				require.Equal(t, http.StatusOK, response.StatusCode, attribute.Val)
				if target.RawQuery != "" {
					require.Equal(t, forever, response.Header.Get("Cache-Control")[:len(forever)], attribute.Val)
				}
			}
			if node.Data == "script" || node.Data == "style" {
				require.Nil(t, node.FirstChild, "%s holds a %s", path, node.Data)
			}
		})
		require.GreaterOrEqual(t, found, 4, path)
	}
}

func TestEachPageForbidsScriptsThatAreNotFilesOfThisHostAndAllOtherHosts(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	for path, policy := range map[string]string{"/": startPolicy, "/swagger/": swaggerPolicy, "/redoc/": redocPolicy} {
		response, _ := pages.ask(t, http.MethodGet, path)
		require.Equal(t, []string{policy}, response.Header.Values("Content-Security-Policy"), path)
		require.Equal(t, "DENY", response.Header.Get("X-Frame-Options"))
		require.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, policy, "http")
		require.True(t, strings.HasPrefix(policy, "default-src 'none'; "), path)
		for directive := range strings.SplitSeq(policy, "; ") {
			name, sources, _ := strings.Cut(directive, " ")
			switch name {
			case "script-src", "connect-src":
				require.Equal(t, "'self'", sources, path)
			case "style-src":
				require.Contains(t, []string{"'self'", "'self'" + redocStyles}, sources, path)
			case "img-src":
				require.Regexp(t, `^'self'( data:)?$`, sources, path)
			case "worker-src":
				require.Equal(t, "blob:", sources)
				require.Equal(t, "/redoc/", path)
			default:
				require.Equal(t, "'none'", sources, directive)
			}
		}
	}
	response, _ := pages.ask(t, http.MethodGet, "/openapi.json")
	require.Equal(t, "default-src 'none'; frame-ancestors 'none'", response.Header.Get("Content-Security-Policy"))
}

func TestPagesAreOnlyRead(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	for _, row := range router.Pages {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			response, body := pages.ask(t, method, row.Pattern)
			require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode, row.Pattern)
			require.Equal(t, "GET, HEAD, OPTIONS", response.Header.Get("Allow"))
			require.Contains(t, body, "not allowed")
		}
		response, _ := pages.ask(t, http.MethodOptions, row.Pattern)
		require.Equal(t, http.StatusNoContent, response.StatusCode)
		require.Equal(t, "GET, HEAD, OPTIONS", response.Header.Get("Allow"))
		get, body := pages.ask(t, http.MethodGet, row.Pattern)
		head, none := pages.ask(t, http.MethodHead, row.Pattern)
		require.Empty(t, none)
		require.Equal(t, get.StatusCode, head.StatusCode)
		require.Equal(t, int64(len(body)), head.ContentLength, row.Pattern)
		for _, header := range []http.Header{get.Header, head.Header} {
			header.Del("Date")
			header.Del("X-Request-Id")
		}
		require.Equal(t, get.Header, head.Header, row.Pattern)
	}
}

func TestTheLicencesOfWhatThePagesAreMadeOfAreServed(t *testing.T) {
	t.Parallel()
	_, text := serve(t).ask(t, http.MethodGet, "/assets/licenses.txt")
	for _, holder := range []string{"swagger-ui-dist@", "redoc@", "Apache License", "SmartBear", "The MIT License", "Rebilly", "DOMPurify"} {
		require.Contains(t, text, holder)
	}
}

func TestTheStartPageShowsTheAddressUnderWhichItWasAsked(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	for name, test := range map[string]struct {
		header    []string
		api, base string
	}{
		"directly": {[]string{"Host", "Shop.test:8080"}, "http://shop.test:8080", ""},
		"behind a proxy that says so": {
			[]string{"Host", "inside", "X-Forwarded-Host", "shop.test", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/api"},
			"https://shop.test/api", "/api/",
		},
	} {
		_, page := pages.ask(t, http.MethodGet, "/", test.header...)
		require.Contains(t, page, "curl -s "+test.api+"/accounts/users ", name)
		require.Contains(t, page, "curl "+test.api+"/orders/ ", name)
		links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1)
		require.Greater(t, len(links), 5)
		for _, link := range links {
			path, found := strings.CutPrefix(link[1], test.base)
			require.True(t, found, link[1])
			require.Regexp(t, `^[a-z]`, path)
		}
	}
	for _, host := range []string{"user@evil.test", `a"b`, "a b", "<a>"} {
		response, page := pages.ask(t, http.MethodGet, "/", "X-Forwarded-Host", host)
		require.Equal(t, http.StatusBadRequest, response.StatusCode, host)
		require.NotContains(t, page, host)
	}
}

func TestTheStartPageSaysWhatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	_, page := serve(t, Part{"Accounts", ready}, Part{"Orders", ready}).ask(t, http.MethodGet, "/")
	require.Contains(t, page, "Everything answers")
	require.NotContains(t, page, "not answer")
	response, page := serve(t, Part{"Accounts", ready}, Part{"Orders", broken}).ask(t, http.MethodGet, "/")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, page, "Not everything answers")
	require.Contains(t, page, "Orders does not answer")
	require.NotContains(t, page, "Accounts does not answer")
	require.NotContains(t, page, errBroken.Error(), "what is wrong is not for everybody")
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
}

func TestADescriptionThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	_, err := prepare([]byte("a: [b"))
	require.ErrorContains(t, err, "description")
}
