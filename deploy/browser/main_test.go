// Package browser tests the gateway's pages as people see them: in Chromium, against a running system of its own. `make test-browser` runs
// it. What the pages are made of in detail, gateway/internal/pages tests without a browser.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"oms.internal/deploy/internal/systemtest"
	"oms.internal/servers/packages"
)

const (
	startTimeout = 15 * time.Minute
	// patience is how long a test waits for what happens within seconds on an idle machine.
	patience = 2 * time.Minute
)

var (
	// system is the system under test.
	system *systemtest.System
	// chromium is the context of the browser; a tab of each test derives from it.
	chromium context.Context //nolint:containedctx // chromedp keeps its browser there
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	report := func(step string) { fmt.Fprintln(os.Stderr, step) }
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	// Pages look as on other machines only with a font that others have, too.
	if err := packages.Install(ctx, report, "chromium", "chromium", "fonts-roboto"); err != nil {
		return 1, err
	}
	if system, err = systemtest.New(); err != nil {
		return 1, err
	}
	// Also after a failed start: what did start must end.
	defer func() { err = errors.Join(err, system.Close()) }()
	if err := system.Up(ctx); err != nil {
		return 1, err
	}
	end, err := startChromium()
	if err != nil {
		return 1, err
	}
	defer end()
	return m.Run(), nil
}

// startChromium starts the browser, which keeps its profile in a folder that end removes.
func startChromium() (end func(), err error) {
	path, err := packages.Find("chromium")
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		// Chromium has no sandbox for root.
		options = append(options, chromedp.NoSandbox)
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	var endBrowser context.CancelFunc
	chromium, endBrowser = chromedp.NewContext(allocator)
	end = func() {
		endBrowser()
		endAllocator()
	}
	if err := chromedp.Do(chromium); err != nil {
		end()
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	return end, nil
}

// gateway is where the system's gateway listens.
func gateway() string { return "http://" + system.Address("GATEWAY_PORT") }
