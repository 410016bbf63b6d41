package browser

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// pages are what is opened, with what is visible once each is complete.
var pages = []struct{ name, path, complete string }{
	{"start", "/", ".all.good"},
	{"swagger", "/swagger/#/orders/createOrder", operation("createOrder") + " textarea.body-param__text"},
	{"redoc", "/redoc/#tag/orders/operation/createOrder", `[data-section-id="tag/orders/operation/createOrder"] h2`},
}

// picture is what a page looks like. OMS_PICTURES names a folder in which it is kept.
func picture(t *testing.T, b *tab, name string) {
	t.Helper()
	content := get(t, b, chromedp.CaptureScreenshot())
	_, err := png.Decode(bytes.NewReader(content))
	require.NoError(t, err)
	if folder := os.Getenv("OMS_PICTURES"); folder != "" {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name+".png"), content, 0o600))
	}
}

func TestEachPageShowsItselfInLightAndInDarkAndNeedsNoOtherHost(t *testing.T) {
	t.Parallel()
	for _, page := range pages {
		t.Run(page.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, gateway(), page.path)
			for _, scheme := range []string{"light", "dark"} {
				b.prefer(t, scheme)
				b.do(t, chromedp.EmulateViewport(1280, 720), chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(page.complete)))
				if scheme == "light" {
					picture(t, b, page.name)
				}
			}
		})
	}
}

func TestNoPageIsWiderThanAPhone(t *testing.T) {
	t.Parallel()
	for _, page := range pages {
		t.Run(page.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, gateway(), page.path)
			b.do(t, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile), chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(page.complete)))
			require.LessOrEqual(t, get(t, b, chromedp.Evaluate[int]("document.documentElement.scrollWidth")), 360)
			picture(t, b, page.name+"-phone")
		})
	}
}

// contrasts computes for each element that shows a text of its own how its colour stands out from what is behind it (WCAG 2.2), and
// returns those below 4.5.
const contrasts = `(() => {
	const channels = (color) => color.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (element) => {
		for (; element; element = element.parentElement) {
			const found = channels(getComputedStyle(element).backgroundColor);
			if (found.length === 3 || found[3] > 0) return found;
		}
		return [255, 255, 255];
	};
	return [...document.querySelectorAll("body *")]
		.filter((element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
		.map((element) => {
			const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))].sort((x, y) => y - x);
			return { text: element.textContent.trim().slice(0, 30), ratio: (a + 0.05) / (b + 0.05) };
		})
		.filter(({ ratio }) => !(ratio >= 4.5))
		.map(({ text, ratio }) => text + ": " + ratio);
})()`

func TestTheTextsOfTheStartPageCanBeReadInLightAndInDark(t *testing.T) {
	t.Parallel()
	b := open(t, gateway(), "/")
	backgrounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(t, scheme)
		require.Empty(t, get(t, b, chromedp.Evaluate[[]string](contrasts)), scheme)
		backgrounds[get(t, b, chromedp.Evaluate[string]("getComputedStyle(document.body).backgroundColor"))] = true
	}
	require.Len(t, backgrounds, 2)
}

func TestTheStartPageIsOneScreenAndLeadsToTheOthers(t *testing.T) {
	t.Parallel()
	b := open(t, gateway(), "/")
	require.Equal(t, "Everything answers", b.text(t, ".all"))
	require.LessOrEqual(t, get(t, b, chromedp.Evaluate[int]("document.documentElement.scrollHeight")), 800)
	b.click(t, `nav a[href="swagger/"]`)
	b.do(t, chromedp.WaitVisible(chromedp.CSS(".opblock-summary")))
	b.click(t, `.bar a[href="../redoc/"]`)
	b.do(t, chromedp.WaitVisible(chromedp.CSS("[data-section-id] h2")))
}

func TestTheCommandsOfTheStartPageWorkWhenTheyArePasted(t *testing.T) {
	t.Parallel()
	commands := open(t, gateway(), "/").text(t, "pre")
	require.Contains(t, commands, gateway())
	output, err := exec.CommandContext(t.Context(), "sh", "-e", "-c", commands).Output() // #nosec G204 -- what the page says
	require.NoError(t, err)
	require.Contains(t, string(output), `"product_name":"Green tea"`)
	require.Contains(t, string(output), `"state":"paid"`)
}

func TestTheSearchOfTheReferenceFindsAnOperation(t *testing.T) {
	t.Parallel()
	b := open(t, gateway(), "/redoc/")
	b.enter(t, `input[placeholder^="Search"]`, "export")
	require.Contains(t, b.text(t, `[data-role="search:results"]`), "xport", "a worker found it")
}

func TestThePagesWorkBehindAProxyThatCutsOffAPrefixAndDoesNotSaySo(t *testing.T) {
	t.Parallel()
	target, err := url.Parse(gateway())
	require.NoError(t, err)
	proxy := httptest.NewServer(http.StripPrefix("/api", httputil.NewSingleHostReverseProxy(target)))
	t.Cleanup(proxy.Close)
	b := open(t, proxy.URL, "/api/")
	b.click(t, `nav a[href="redoc/"]`)
	b.do(t, chromedp.WaitVisible(chromedp.CSS("[data-section-id] h2")))
	b.do(t, chromedp.Navigate(proxy.URL+"/api/swagger"))
	b.do(t, chromedp.WaitVisible(chromedp.CSS(".opblock-summary")))
	email := newEmail()
	signUp(t, b, email)
	b.asked(t, http.MethodPost, "/api/accounts/users")
	require.Equal(t, proxy.URL+"/api/swagger/", get(t, b, chromedp.Evaluate[string](`location.href.replace(/#.*/, "")`)), fmt.Sprint(b.requests))
}
