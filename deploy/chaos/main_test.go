// Package chaos breaks the running system under load and holds that nothing which was acknowledged is lost, doubled or
// stale. README.md says what is broken, and how to read the table that it prints.
package chaos

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"oms.internal/deploy/internal/described"
	api "oms.internal/gateway"
)

// world is the system that all tests of this package break, one after the other.
var world *system

// checks hold every answer that a member gets to the description of the API. An answer that is against it fails the run, as no answer may
// leave the form that clients rely on because a part broke.
var checks = described.Checks{Description: described.MustRead(api.Description)}

// startTimeout bounds building and starting everything, on a busy machine too.
const startTimeout = 15 * time.Minute

func TestMain(m *testing.M) {
	code, err := runOnOwnSystem(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		code = 1
	}
	os.Exit(code)
}

func runOnOwnSystem(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if world, err = newSystem(); err != nil {
		return 1, err
	}
	defer func() {
		// Also after a failed start: what did start must end.
		if closeErr := world.close(); err == nil {
			err = closeErr
		}
	}()
	if err := world.start(ctx); err != nil {
		return 1, err
	}
	return m.Run(), checks.Err()
}
