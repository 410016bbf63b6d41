package pages

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	bundle      = "/assets/swagger-ui-bundle.js" // is only kept compressed
	description = "/openapi.json"
)

func unzipped(t *testing.T, text string) string {
	t.Helper()
	reader, err := gzip.NewReader(strings.NewReader(text))
	require.NoError(t, err)
	plain, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(plain)
}

func TestContentIsCompressedForWhoTakesThatAndForNobodyElse(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	for _, path := range []string{bundle, description, "/swagger.yaml", "/swagger/", "/assets/start.css"} {
		var plain, tags []string
		for _, encodings := range []string{"", "identity", "br, zstd", "gzip;q=0", "gzip;q=0.0, br"} {
			response, body := pages.ask(t, http.MethodGet, path, "Accept-Encoding", encodings)
			require.Equal(t, http.StatusOK, response.StatusCode, path)
			require.Empty(t, response.Header.Get("Content-Encoding"), "%s %q", path, encodings)
			require.Equal(t, int64(len(body)), response.ContentLength, path)
			require.Equal(t, "Accept-Encoding", response.Header.Get("Vary"))
			plain, tags = append(plain, body), append(tags, response.Header.Get("ETag"))
		}
		for _, encodings := range []string{"gzip", "br, gzip", "GZIP;q=0.5", "gzip, deflate, br, zstd"} {
			response, body := pages.ask(t, http.MethodGet, path, "Accept-Encoding", encodings)
			require.Equal(t, "gzip", response.Header.Get("Content-Encoding"), "%s %q", path, encodings)
			require.Equal(t, int64(len(body)), response.ContentLength, path)
			require.Less(t, len(body), len(plain[0]))
			require.Equal(t, "Accept-Encoding", response.Header.Get("Vary"))
			require.NotEqual(t, tags[0], response.Header.Get("ETag"), "it is another representation")
			plain, tags = append(plain, unzipped(t, body)), append(tags, tags[0])
		}
		for i := range plain {
			require.Equal(t, plain[0], plain[i], path)
			require.Equal(t, tags[0], tags[i], path)
		}
	}
	require.Zero(t, pages.answers.Used(), "what was unzipped is given back")
}

func TestWhatTheBrowserHasIsNotSentAgainAndKeepsItsHeaders(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	for _, path := range []string{bundle, description, "/swagger/", "/redoc/"} {
		for _, encoding := range []string{"gzip", "identity"} {
			first, _ := pages.ask(t, http.MethodGet, path, "Accept-Encoding", encoding)
			tag := first.Header.Get("ETag")
			require.Regexp(t, `^"[0-9a-f]{16}(-gzip)?"$`, tag)
			for _, held := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
				response, body := pages.ask(t, http.MethodGet, path, "Accept-Encoding", encoding, "If-None-Match", held)
				require.Equal(t, http.StatusNotModified, response.StatusCode, "%s %s", path, held)
				require.Empty(t, body)
				for _, name := range []string{"ETag", "Cache-Control", "Vary", "Content-Security-Policy"} {
					require.Equal(t, first.Header.Get(name), response.Header.Get(name), "%s: %s", path, name)
				}
			}
			response, _ := pages.ask(t, http.MethodGet, path, "Accept-Encoding", encoding, "If-None-Match", `"other"`)
			require.Equal(t, http.StatusOK, response.StatusCode)
			response, _ = pages.ask(t, http.MethodGet, path, "If-None-Match", "no tag")
			require.Equal(t, http.StatusBadRequest, response.StatusCode)
		}
	}
}

func TestOnlyAnAddressThatNamesTheContentIsKeptForEver(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	contents, err := newAssets()
	require.NoError(t, err)
	for path, asset := range contents {
		response, _ := pages.ask(t, http.MethodGet, path+"?v="+asset.tag)
		require.True(t, strings.HasPrefix(response.Header.Get("Cache-Control"), forever), path)
		for _, other := range []string{"", "?v=", "?v=0123456789abcdef"} {
			response, _ = pages.ask(t, http.MethodGet, path+other)
			require.True(t, strings.HasPrefix(response.Header.Get("Cache-Control"), always), path+other)
		}
	}
	for _, path := range []string{description, "/swagger.yaml", "/redoc/"} {
		first, _ := pages.ask(t, http.MethodGet, path)
		tag, _, _ := strings.Cut(strings.Trim(first.Header.Get("ETag"), `"`), "-")
		response, _ := pages.ask(t, http.MethodGet, path+"?v="+tag)
		require.True(t, strings.HasPrefix(response.Header.Get("Cache-Control"), always), path)
	}
}

func TestWhatIsUnzippedForAClientTakesItsShareOfMemory(t *testing.T) {
	t.Parallel()
	pages := serve(t)
	this := netip.MustParseAddr("127.0.0.1")
	taken := 0
	for pages.answers.Take(this, unzipBytes) == nil {
		taken++
	}
	require.Positive(t, taken)
	identity := []string{"Accept-Encoding", "identity"}
	response, _ := pages.ask(t, http.MethodGet, bundle, identity...)
	require.Contains(t, []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("Retry-After"))
	response, _ = pages.ask(t, http.MethodGet, bundle, "Accept-Encoding", "gzip")
	require.Equal(t, http.StatusOK, response.StatusCode, "takes none")
	response, _ = pages.ask(t, http.MethodHead, bundle, identity...)
	require.Equal(t, http.StatusOK, response.StatusCode, "has no body")
	pages.answers.Give(this, taken*unzipBytes)
	response, _ = pages.ask(t, http.MethodGet, bundle, identity...)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Zero(t, pages.answers.Used())
}
