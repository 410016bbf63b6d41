package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAFailoverWaitsUntilEachServiceIsReadyAndSaysForWhat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		after := func(wait time.Duration) func(context.Context) error {
			return func(context.Context) error {
				if time.Since(began) < wait {
					return errors.New("no server is writable")
				}
				return nil
			}
		}
		var said []string
		say := func(step string) { said = append(said, step) }
		awaitReady(t.Context(), []service{{"orders", after(time.Second)}, {"accounts", after(4 * time.Second)}, {"gateway", after(0)}}, say)
		require.Equal(t, 4*time.Second, time.Since(began))
		require.Equal(t, []string{"waiting for accounts: no server is writable"}, said)

		began, said = time.Now(), nil
		awaitReady(t.Context(), []service{{"orders", after(time.Hour)}, {"accounts", after(time.Hour)}}, say)
		require.Equal(t, readyPatience, time.Since(began))
		require.Equal(t, "orders: no server is writable (see `make ps`)", said[len(said)-1])
	})
}

func TestAServiceIsWaitedForUntilItIsWholeUnlessADatabaseServerIsLost(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct{ whole, alone string }{
		"ready\n": {"", ""},
		"ready, but degraded\nno replica answers": {"ready, but degraded; no replica answers", ""},
		"not ready\nno server is writable":        {"not ready; no server is writable", "not ready; no server is writable"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if answer[0] == 'n' {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			_, _ = io.WriteString(w, answer)
		}))
		for whole, want := range map[bool]string{true: want.whole, false: want.alone} {
			err := askReady(t.Context(), server.URL, whole)
			if want == "" {
				require.NoError(t, err, answer)
			} else {
				require.EqualError(t, err, want)
			}
		}
		server.Close()
		require.NoError(t, askReady(t.Context(), server.URL, true), "it does not run")
	}
}
