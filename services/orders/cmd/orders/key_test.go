package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/httpx"
)

func keyed(key, body string) message {
	return message{
		method: http.MethodPost, path: "/orders/", contentType: jsonType, body: body,
		header: map[string]string{httpx.HeaderIdempotencyKey: key},
	}
}

// requireReplay demands the same answer again.
func requireReplay(t *testing.T, first, again answer) {
	t.Helper()
	require.Equal(t, "true", again.header.Get(httpx.HeaderIdempotencyReplayed), again.text)
	require.Equal(t, first.status, again.status)
	require.Equal(t, first.text, again.text)
	for _, name := range []string{"Location", "ETag", "Content-Type"} {
		require.Equal(t, first.header.Get(name), again.header.Get(name))
	}
}

func TestTheSameKeyIsTheSameOrderWhateverHappenedSince(t *testing.T) {
	t.Parallel()
	p := start(t)
	admin := p.as(t, boss)
	sent := keyed("a-key", `{"customer": 2, "product_name": "꼬막무침 🍤"}`)
	first := admin.send(t, sent)
	require.Equal(t, http.StatusCreated, first.status, first.text)
	require.Empty(t, first.header.Values(httpx.HeaderIdempotencyReplayed))
	requireReplay(t, first, admin.send(t, sent))
	requireReplay(t, first, admin.send(t, keyed("a-key", `{ "product_name" : " 꼬막무침 🍤 ", "customer": "2" }`)))

	path := first.header.Get("Location")
	require.Equal(t, http.StatusOK, admin.json(t, http.MethodPatch, path, `{"product_name": "changed"}`).status)
	requireReplay(t, first, admin.send(t, sent))
	require.Equal(t, http.StatusNoContent, admin.send(t, message{method: http.MethodDelete, path: path}).status)
	p.accounts.stop()
	requireReplay(t, first, admin.send(t, sent))
	require.Zero(t, p.orders(t))

	require.NoError(t, p.Stop())
	p.run(t)
	requireReplay(t, first, p.as(t, boss).send(t, sent))
	require.Equal(t, 1, p.count(t, "idempotency_keys"))
}

func TestAKeyBelongsToOneRequestOfOneMember(t *testing.T) {
	t.Parallel()
	p := start(t)
	owner := p.as(t, alice)
	require.Equal(t, http.StatusCreated, owner.send(t, keyed("key", `{"product_name": "p"}`)).status)
	for _, other := range []string{`{"product_name": "q"}`, `{"product_name": "p", "order_number": "A00000000001"}`} {
		owner.send(t, keyed("key", other)).requireProblem(t, http.StatusUnprocessableEntity)
	}
	// Another member's key of the same name is another key.
	others := p.as(t, bob).send(t, keyed("key", `{"product_name": "p"}`))
	require.Equal(t, http.StatusCreated, others.status, others.text)
	require.Empty(t, others.header.Values(httpx.HeaderIdempotencyReplayed))
	for _, bad := range []string{"", strings.Repeat("k", 256), "a b", "키"} {
		owner.send(t, keyed(bad, `{"product_name": "p"}`)).requireProblem(t, http.StatusBadRequest)
	}
	require.Equal(t, http.StatusCreated, owner.send(t, keyed(strings.Repeat("k", 255), `{"product_name": "p"}`)).status)
	require.Equal(t, 3, p.orders(t))
}

func TestWhatWasRefusedIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := start(t)
	admin := p.as(t, boss)
	sent := keyed("key", `{"customer": 5, "product_name": "p", "order_number": "AGAIN0000001"}`)
	admin.send(t, sent).requireField(t, "customer", `Invalid pk "5" - object does not exist.`)
	require.Zero(t, p.count(t, "idempotency_keys"))
	p.accounts.add(5, "Eve")
	admin.order(t, "TAKEN0000001", "p")
	taken := keyed("key", `{"customer": 5, "product_name": "p", "order_number": "TAKEN0000001"}`)
	admin.send(t, taken).requireField(t, "order_number", "order with this order number already exists.")
	first := admin.send(t, sent)
	require.Equal(t, http.StatusCreated, first.status, first.text)
	requireReplay(t, first, admin.send(t, sent))
}

func TestAKeyWhoseRequestIsStillBeingDoneIsAConflict(t *testing.T) {
	t.Parallel()
	p := start(t)
	elsewhere, err := p.root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	digest := sha256.Sum256([]byte("busy"))
	_, err = elsewhere.ExecContext(t.Context(), "INSERT INTO idempotency_keys VALUES (1, ?, ?, NULL, NOW(6))", digest[:], digest[:])
	require.NoError(t, err)
	sent := keyed("busy", `{"product_name": "p"}`)
	p.as(t, alice).send(t, sent).requireProblem(t, http.StatusConflict)
	require.NoError(t, elsewhere.Rollback())
	require.Equal(t, http.StatusCreated, p.as(t, alice).send(t, sent).status)
}

// Each request is cut off at some moment, once or several times, and sent again under its key until it is answered.
func TestRequestsWhoseAnswersAreLostAreDoneOnce(t *testing.T) {
	t.Parallel()
	p := start(t)
	const clients, requests, losses = 6, 25, 3
	from := p.as(t, alice)
	var clientsRun sync.WaitGroup
	failures := make(chan string, clients*requests)
	for client := range clients {
		clientsRun.Go(func() {
			for i := range requests {
				key := fmt.Sprintf("%d-%d", client, i)
				for range rand.N(losses + 1) {
					from.cutOff(key)
				}
				sent := keyed(key, fmt.Sprintf(`{"product_name": %q}`, key))
				got, err := from.try(t.Context(), sent)
				for ; err == nil && got.status == http.StatusConflict; got, err = from.try(t.Context(), sent) {
				}
				if err != nil || got.status != http.StatusCreated {
					failures <- fmt.Sprint(key, got.status, got.text, err)
				}
			}
		})
	}
	clientsRun.Wait()
	close(failures)
	for failure := range failures {
		require.Fail(t, "a request was not done", failure)
	}
	require.Equal(t, clients*requests, p.orders(t), "orders")
	require.Equal(t, clients*requests, p.count(t, "order_timeline"), "steps")
	require.Equal(t, clients*requests, p.count(t, "outbox"), "events")
}

// cutOff sends a request and closes the connection before the answer, or while it comes.
func (c caller) cutOff(key string) {
	conn, err := net.Dial("tcp", c.HTTP.String())
	if err != nil {
		return
	}
	defer conn.Close()
	body := fmt.Sprintf(`{"product_name": %q}`, key)
	_, _ = fmt.Fprintf(conn, "POST /orders/ HTTP/1.1\r\nHost: orders\r\n%s: %s\r\n%s: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		assertion.Header, c.principal, httpx.HeaderIdempotencyKey, key, jsonType, len(body), body)
	_ = conn.SetReadDeadline(time.Now().Add(rand.N(15 * time.Millisecond)))
	_, _ = bufio.NewReader(conn).ReadString('\n')
}
