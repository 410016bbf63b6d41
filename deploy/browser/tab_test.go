package browser

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tab is a page of a browser that knows nothing of other tabs. When its test ends, nothing must have gone wrong on it: no error or warning
// on the console, no uncaught exception, nothing that the Content-Security-Policy forbade, and no request to another host.
type tab struct {
	ctx context.Context //nolint:containedctx // chromedp keeps its tab there

	mu       sync.Mutex
	troubles []string
	requests []*network.Request
}

// tellViolations has the page say what its policy forbade, since the console does not show all of that.
const tellViolations = `document.addEventListener("securitypolicyviolation",
	(event) => console.error("violation:", event.violatedDirective, event.blockedURI, event.sourceFile, event.sample))`

// open opens a page of a site (scheme and host).
func open(t *testing.T, site, path string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	opened := &tab{ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, opened.hear))
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: tellViolations})
	require.NoError(t, err)
	opened.do(t, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(site+path))
	t.Cleanup(func() { opened.requireNoTrouble(t, site) })
	return opened
}

// hear notes what happens on the page.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event := event.(type) {
	case *runtime.EventConsoleAPICalled:
		var texts []string
		for _, argument := range event.Args {
			texts = append(texts, fmt.Sprintf("%s%s", argument.Value, argument.Description))
		}
		if kind := string(event.Type); kind == "error" || kind == "warning" || kind == "assert" {
			b.troubles = append(b.troubles, kind+": "+strings.Join(texts, " "))
		}
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, fmt.Sprintf("exception: %+v", event.ExceptionDetails))
	case *log.EventEntryAdded:
		b.troubles = append(b.troubles, fmt.Sprintf("log: %s: %s: %s %s", event.Entry.Level, event.Entry.Source, event.Entry.Text, event.Entry.URL))
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, event.Request)
	}
}

func (b *tab) requireNoTrouble(t *testing.T, site string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(t, b.troubles)
	require.NotEmpty(t, b.requests)
	for _, request := range b.requests {
		target, err := url.Parse(request.URL)
		require.NoError(t, err)
		// What is in the page itself, or was made by its scripts, asks nobody.
		if !slices.Contains([]string{"data", "blob"}, target.Scheme) {
			require.Equal(t, site, target.Scheme+"://"+target.Host, request.URL)
		}
	}
}

// asked returns the last request with a method to a path.
func (b *tab) asked(t *testing.T, method, path string) *network.Request {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, request := range slices.Backward(b.requests) {
		target, err := url.Parse(request.URL)
		require.NoError(t, err)
		if request.Method == method && target.Path == path {
			return request
		}
	}
	require.Fail(t, "was not asked", "%s %s", method, path)
	return nil
}

// do runs steps, which fail when one takes too long.
func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	// The first use of a tab's context opens the tab, which would end with the shorter one.
	require.NoError(t, chromedp.Do(b.ctx))
	require.NoError(t, chromedp.Do(ctx, steps...))
}

// get runs an action that returns something.
func get[T any](t *testing.T, b *tab, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	require.NoError(t, err)
	return value
}

// text is what an element shows, once it is visible.
func (b *tab) text(t *testing.T, selector string) string {
	t.Helper()
	return get(t, b, chromedp.Text(chromedp.CSS(selector), chromedp.NodeVisible))
}

// click clicks an element once it is visible.
func (b *tab) click(t *testing.T, selector string) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// enter replaces what is in a field, as somebody does who selects it and pastes.
func (b *tab) enter(t *testing.T, selector, text string) {
	t.Helper()
	b.click(t, selector)
	get(t, b, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q).select() === undefined", selector)))
	b.do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// prefer has the browser prefer light or dark colours.
func (b *tab) prefer(t *testing.T, scheme string) {
	t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
}
