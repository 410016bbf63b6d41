package client_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/client"
	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

// seen is what the requests showed, in their order.
type seen[Item any] struct {
	mutex sync.Mutex
	items []Item
}

// add returns how many there are now.
func (s *seen[Item]) add(item Item) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.items = append(s.items, item)
	return len(s.items)
}

// all returns what was seen since the last call.
func (s *seen[Item]) all() []Item {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	items := s.items
	s.items = nil
	return items
}

// waits are those that a client made between attempts, none of which took time.
type waits struct{ seen[time.Duration] }

func (w *waits) wait(ctx context.Context, duration time.Duration) error {
	w.add(duration)
	return ctx.Err()
}

// gateway plays a gateway, and returns a client of it in a session. Connections are used once, so that net/http sends nothing again.
func gateway(t *testing.T, options client.Options, answer http.HandlerFunc) (*client.Client, *waits) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	made := &waits{}
	options.Wait = made.wait
	if options.Random == nil {
		options.Random = func() float64 { return 0 }
	}
	if options.HTTP == nil {
		options.HTTP = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	if options.Patience == 0 {
		options.Patience = time.Minute
	}
	c, err := client.New(server.URL, options)
	require.NoError(t, err)
	c.Resume(api.Grant{Token: "token 1", RefreshToken: "refresh 1"})
	return c, made
}

// script answers one request after the other.
func script(t *testing.T, answers ...http.HandlerFunc) http.HandlerFunc {
	t.Helper()
	var mutex sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		if len(answers) == 0 {
			mutex.Unlock()
			t.Errorf("nobody expected %s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		answer := answers[0]
		answers = answers[1:]
		mutex.Unlock()
		answer(w, r)
	}
}

func refuse(status int, code fault.Code, retryAfter int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		}
		w.Header().Set("X-Request-Id", "REQUEST")
		send(w, "application/problem+json", status, map[string]any{"type": "urn:oms:fault:" + string(code), "title": "", "status": status, "detail": "Refused."})
	}
}

// lose takes the request and closes the connection without an answer.
func lose(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		connection.Close()
	}
}

func answerWith(body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { send(w, "application/json", http.StatusOK, body) }
}

func send(w http.ResponseWriter, contentType string, status int, body any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func anOrder(id api.ID) map[string]any {
	return map[string]any{
		"id": id, "customer": 7, "order_number": "12345678ABCD", "product_name": "꽃", "paymented_at": "2026-11-23T21:00:00.123456+09:00", "state": "paid",
	}
}

func grant(number int) map[string]any {
	return map[string]any{
		"token": "token " + strconv.Itoa(number), "expiry": "2026-11-24T07:00:00.123456+09:00",
		"refresh_token": "refresh " + strconv.Itoa(number), "refresh_expiry": "2026-12-23T21:00:00.123456+09:00",
	}
}

func refused(t *testing.T, err error) *client.Error {
	t.Helper()
	var refusal *client.Error
	require.ErrorAs(t, err, &refusal)
	return refusal
}
