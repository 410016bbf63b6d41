package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// neighbours is how many members use the system meanwhile, and neighboursShare how often each does in `make test-load`; `make hostile-load`
	// goes on for 60 s.
	neighbours      = 20
	neighboursShare = 10
	// loginsApart is how many rounds of a member have one login. The others log in at other times.
	loginsApart = 10
	// Of each attacker, as many connections as do harm.
	unread, idle, unsent, searches, guesses = 100, 840, 128, 14, 8
	// slower is how many times as long as on a quiet system 99 % of the others' requests may take. `make hostile-load` alone holds it.
	slower = 3
)

// from returns a client at one of this machine's addresses, all in one network.
func from(number int, change func(descriptor uintptr)) *net.Dialer {
	return &net.Dialer{
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(number))},
		Control: func(_, _ string, raw syscall.RawConn) error {
			if change == nil {
				return nil
			}
			return raw.Control(change)
		},
	}
}

func (c client) from(number int) client {
	transport := &http.Transport{DialContext: from(number, nil).DialContext, MaxIdleConnsPerHost: 64}
	c.http = &http.Client{Timeout: patience, Transport: checks.Transport(transport)}
	return c
}

// attacker attacks from one address until ctx ends, in all ways at once.
type attacker struct {
	member

	number int
}

func (a attacker) attack(ctx context.Context, running *sync.WaitGroup) {
	json := "Content-Type: application/json\r\n"
	bearer := "Authorization: Token " + a.token + "\r\n"
	for count, text := range map[int]string{
		unread: "GET /orders/?limit=500 HTTP/1.1\r\nHost: a\r\n" + bearer + "\r\n",
		idle:   "",
		unsent: "POST /auth/login HTTP/1.1\r\nHost: a\r\n" + json + "Content-Length: 65536\r\n\r\n{",
	} {
		for range count {
			running.Go(func() { a.hold(ctx, text, count != unread) })
		}
	}
	for i := range guesses {
		running.Go(func() {
			for ctx.Err() == nil {
				if i%2 == 0 {
					_, _ = a.try(ctx, http.MethodPost, "/auth/login", map[string]any{"email": unique() + "@e2e.test", "password": password})
				} else {
					_, _ = a.try(ctx, http.MethodPost, "/accounts/users", newMember(unique()+"@e2e.test"))
				}
			}
		})
	}
	for i := range searches {
		running.Go(func() {
			paths := []string{"/accounts/users?search=a&ordering=nickname,name", "/orders/?offset=100000000", "/accounts/users?offset=100000000"}
			for ctx.Err() == nil {
				_, _ = a.try(ctx, http.MethodGet, paths[i%len(paths)], nil)
			}
		})
	}
}

// hold opens a connection, sends text and holds it for as long as the system lets it, again and again.
func (a attacker) hold(ctx context.Context, text string, reads bool) {
	dialer := from(a.number, func(descriptor uintptr) {
		if !reads {
			_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1)
		}
	})
	for ctx.Err() == nil {
		conn, err := dialer.DialContext(ctx, "tcp", system.Address("GATEWAY_PORT"))
		if err == nil {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			_, _ = io.WriteString(conn, text)
			if reads {
				_, _ = io.Copy(io.Discard, conn)
			} else {
				pause(ctx, 15*time.Second)
			}
			stop()
			_ = conn.Close()
		}
		pause(ctx, 100*time.Millisecond)
	}
}

func pause(ctx context.Context, length time.Duration) {
	over := time.NewTimer(length)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
}

// uses has each member use the system until enough, and returns how long its requests took. Patient members do what a refusal
// tells them: on a busy machine the hash of a password may take too long for those who wait.
func uses(t *testing.T, members []member, patient bool, enough func(round int) bool) (took []time.Duration, failed int64, example any) {
	t.Helper()
	var mutex sync.Mutex
	var failures atomic.Int64
	var some atomic.Value
	var running sync.WaitGroup
	ask := func(own member, method, path string, body any) {
		asked := time.Now()
		got, err := own.try(t.Context(), method, path, body)
		for patient && err == nil && retryLater(t, got) {
			got, err = own.try(t.Context(), method, path, body)
		}
		if ok, what := succeeded(got, err); !ok {
			failures.Add(1)
			some.Store(method + " " + path + ": " + what)
		}
		mutex.Lock()
		defer mutex.Unlock()
		took = append(took, time.Since(asked))
	}
	for i, own := range members {
		running.Go(func() {
			for round := i; !enough(round - i); round++ {
				if round%loginsApart == 0 {
					ask(own, http.MethodPost, "/auth/login", map[string]any{"email": own.email, "password": password})
				}
				ask(own, http.MethodPost, "/orders/", newOrder(strings.Repeat("가", 20)))
				ask(own, http.MethodGet, "/orders/?limit=5", nil)
				ask(own, http.MethodGet, fmt.Sprintf("/accounts/users/%d", own.id), nil)
			}
		})
	}
	running.Wait()
	slices.Sort(took)
	return took, failures.Load(), some.Load()
}

func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }

// newAttackers are three members at three addresses, with orders that make a large page.
func newAttackers(t *testing.T) []attacker {
	t.Helper()
	var all []attacker
	for number := 2; number <= 4; number++ {
		a := attacker{member: signUp(t), number: number}
		a.client = a.from(number)
		all = append(all, a)
	}
	const large = 200
	order, err := json.Marshal(newOrder(strings.Repeat("가", 250)))
	require.NoError(t, err)
	var running sync.WaitGroup
	var example atomic.Value
	for _, a := range all {
		for range 4 {
			running.Go(func() {
				for range large / 4 {
					if ok, what := succeeded(a.send(t.Context(), http.MethodPost, "/orders/", "application/json", bytes.NewReader(order))); !ok {
						example.Store(what)
					}
				}
			})
		}
	}
	running.Wait()
	require.Nil(t, example.Load())
	return all
}

func TestThreeAddressesThatAttackInAllWaysUnderLoadHarmNoOtherMember(t *testing.T) {
	var duration time.Duration
	if wanted := os.Getenv("OMS_HOSTILE_SECONDS"); wanted != "" {
		number, err := strconv.Atoi(wanted)
		require.NoError(t, err)
		duration = time.Duration(number) * time.Second
	}
	attackers, members := newAttackers(t), make([]member, neighbours)
	for i := range members {
		members[i] = signUp(t)
		members[i].client = members[i].from(5 + i)
	}
	lasting := func(duration time.Duration) func(int) bool {
		began := time.Now()
		return func(round int) bool { return round >= neighboursShare && time.Since(began) >= duration }
	}
	quiet, failed, example := uses(t, members, duration == 0, lasting(duration/6))
	require.Zero(t, failed, "%v", example)

	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, each := range attackers {
		each.attack(ctx, &running)
	}
	loud, failed, example := uses(t, members, duration == 0, lasting(duration))
	end()
	running.Wait()

	t.Logf("of %d requests %d failed (%v); p50 %s, p99 %s; quiet p50 %s, p99 %s",
		len(loud), failed, example, loud[len(loud)/2], p99(loud), quiet[len(quiet)/2], p99(quiet))
	for _, name := range []string{"accounts", "orders", "gateway"} {
		peak := peakResident(t, process(t, "run", name+".json").PID())
		t.Logf("%s: %d KiB at most", name, peak)
		require.Less(t, peak, maxResident, name)
	}
	require.LessOrEqual(t, failed*1000, int64(len(loud)), "%v", example)
	if duration > 0 {
		require.LessOrEqual(t, p99(loud), slower*p99(quiet))
	}
}
