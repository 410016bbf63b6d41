package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"
)

// hostileShare is how many generated requests `make test` sends; `make test-hostile` asks for more.
const hostileShare = 4_000

// hostileClients send at the same time, each from a seed of its own.
const hostileClients = 4

// hostileLife is after how many requests a client signs up anew: its requests log it out and delete it, too.
const hostileLife = 100

func TestGeneratedHostileRequestsCauseNo5xxNoPanicAndNoLeak(t *testing.T) {
	total := hostileShare
	if wanted := os.Getenv("OMS_HOSTILE_REQUESTS"); wanted != "" {
		number, err := strconv.Atoi(wanted)
		require.NoError(t, err)
		total = number
	}
	before := pids(t)
	var statuses sync.Map // status → *atomic.Int64
	var clients sync.WaitGroup
	problems := make(chan string, hostileClients)
	for i := range hostileClients {
		clients.Go(func() {
			if problem := sendHostile(t.Context(), newGenerator(uint64(i+1)), total/hostileClients, &statuses); problem != "" {
				problems <- problem
			}
		})
	}
	clients.Wait()
	close(problems)
	for problem := range problems {
		require.Fail(t, "hostile request", problem)
	}
	statuses.Range(func(status, count any) bool {
		t.Logf("%v: %d", status, count.(*atomic.Int64).Load())
		return true
	})
	require.Equal(t, before, pids(t), "no process was restarted")
	for _, name := range []string{"accounts", "orders", "gateway"} {
		log, err := proc.OpenLog(filepath.Join(system.Data, "logs", name+".log"))
		require.NoError(t, err)
		content, err := io.ReadAll(log)
		require.NoError(t, errors.Join(err, log.Close()))
		require.NotContains(t, string(content), `"msg":"panic"`, name)
	}
	require.Equal(t, http.StatusOK, signUp(t).do(t, http.MethodGet, "/orders/", nil).status, "the system goes on")
}

// pids are what `make ps` shows of the services: the numbers of their processes, or the ids of their containers.
func pids(t *testing.T) map[string]string {
	t.Helper()
	printed, err := system.Command(t.Context(), "ps").Output()
	require.NoError(t, err, "%s", printed)
	found := map[string]string{}
	for line := range strings.Lines(string(printed)) {
		if fields := strings.Fields(line); slices.Contains([]string{"accounts", "orders", "gateway"}, fields[0]) {
			found[fields[0]] = fields[1]
		}
	}
	require.Len(t, found, 3, "%s", printed)
	return found
}

// sendHostile sends requests one after another and returns what is wrong with the first bad answer.
func sendHostile(ctx context.Context, requests *generator, count int, statuses *sync.Map) string {
	for sent := range count {
		if sent%hostileLife == 0 {
			created, err := newClient().try(ctx, http.MethodPost, "/accounts/users", newMember(unique()+"@e2e.test"))
			if err != nil || created.status != http.StatusCreated {
				return fmt.Sprint("sign-up: ", err, created.text)
			}
			requests.own = member{client: newClient().as(created.body["token"].(string)), id: idOf(created.body["user"])}
		}
		request := requests.next()
		status := "closed without an answer"
		got, err := exchange(request)
		if err != nil && !refusedConnection(err) {
			return err.Error() + " after " + strconv.Quote(request.text)
		}
		if err == nil {
			status = strconv.Itoa(got.status)
			if problem := got.problem(request); problem != "" {
				return problem + " for " + strconv.Quote(request.text)
			}
		}
		counter, _ := statuses.LoadOrStore(status, new(atomic.Int64))
		counter.(*atomic.Int64).Add(1)
	}
	return ""
}

// problem says what is wrong with an answer to a hostile request, if anything is.
func (a answer) problem(request raw) string {
	method, target := request.line()
	switch undescribed := description.Check(method, target, a.status, a.header, []byte(a.text)); {
	case a.status >= http.StatusInternalServerError:
		return fmt.Sprint(a.status, " ", a.text)
	case leak.MatchString(a.text):
		return "leak: " + a.text
	case undescribed != nil:
		return undescribed.Error()
	default:
		return ""
	}
}

// exchange sends a request over a connection of its own and reads the first answer.
func exchange(request raw) (answer, error) {
	conn, err := net.DialTimeout("tcp", system.Address("GATEWAY_PORT"), patience)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return answer{}, err
	}
	if _, err := io.WriteString(conn, request.text); err != nil {
		return answer{}, err
	}
	// The end of the request, so that a body that is shorter than announced is not waited for.
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return answer{}, err
	}
	method, _ := request.line()
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(reader, &http.Request{Method: method})
	}
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{status: response.StatusCode, header: response.Header, text: string(content)}, nil
}

// refusedConnection reports whether the gateway ended the connection, which is an answer to what is no request.
func refusedConnection(err error) bool {
	var failed *net.OpError
	if errors.As(err, &failed) && failed.Op == "dial" {
		return false
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return false
	}
	return true
}
