package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	typed "oms.internal/libs/client"
	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

// typed returns the client that programs use, with this client's token. It sends by the network, or else as newClient's does.
func (c client) typed(t *testing.T, network *losing) *typed.Client {
	t.Helper()
	transport := checks.Transport(http.DefaultTransport)
	if network != nil {
		network.next, transport = transport, network
	}
	const attempts = 10_000 // a slow machine is not to be taken for a system that does not come back
	made, err := typed.New(c.base, typed.Options{HTTP: &http.Client{Transport: transport}, Patience: patience, Attempts: attempts})
	require.NoError(t, err)
	if c.token != "" {
		made.Resume(api.Grant{Token: c.token})
	}
	return made
}

// losing is a network that loses answers: the gateway has each request, and its answer reaches nobody if lost says so.
type losing struct {
	lost func(method, path string, time int) bool // the time is how often this was asked so far, from 1
	next http.RoundTripper

	mutex sync.Mutex
	times map[string]int // by method and path
}

func (l *losing) RoundTrip(request *http.Request) (*http.Response, error) {
	l.mutex.Lock()
	if l.times == nil {
		l.times = map[string]int{}
	}
	key := request.Method + " " + request.URL.Path
	l.times[key]++
	lost := l.lost != nil && l.lost(request.Method, request.URL.Path, l.times[key])
	l.mutex.Unlock()
	response, err := l.next.RoundTrip(request)
	if err == nil && lost {
		response.Body.Close()
		return nil, errors.New("the answer was lost")
	}
	return response, err
}

func (l *losing) asked(methodAndPath string) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.times[methodAndPath]
}

func TestAnOrderWhoseAnswersAreLostIsPlacedOnce(t *testing.T) {
	t.Parallel()
	const orders = 5
	network := &losing{lost: func(method, _ string, time int) bool { return method == http.MethodPost && time%3 != 0 }}
	buyer := signUp(t).typed(t, network)
	placed := map[api.ID]bool{}
	for range orders {
		order, err := buyer.CreateOrder(t.Context(), api.NewOrder{ProductName: "once"}, nil)
		require.NoError(t, err)
		require.True(t, order.Replayed, "the answer that came is that of a repetition")
		placed[order.ID] = true
	}
	require.Len(t, placed, orders)
	require.Equal(t, 3*orders, network.asked("POST /orders/"), "each is sent until an answer comes")
	listed := map[api.ID]bool{}
	for order, err := range buyer.Orders(t.Context(), &api.ListOrdersParams{Limit: new(api.Limit(3))}) {
		require.NoError(t, err)
		listed[order.ID] = true
	}
	require.Equal(t, placed, listed)
}

func TestACallerOfTheTypedClientDoesNotNoticeThatOrdersIsKilled(t *testing.T) {
	const callers, each = 4, 25
	buyer := signUp(t).typed(t, nil)
	var group sync.WaitGroup
	var placed atomic.Int64
	failures := make([]error, callers)
	for i := range callers {
		group.Go(func() {
			for range each {
				if _, err := buyer.CreateOrder(t.Context(), api.NewOrder{ProductName: "kill"}, nil); err != nil {
					failures[i] = err
					return
				}
				placed.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return placed.Load() >= callers }, patience, time.Millisecond)
	require.NoError(t, process(t, "run", "orders.json").Kill())
	oms(t, "up")
	group.Wait()
	require.NoError(t, errors.Join(failures...))
	page, err := buyer.ListOrders(t.Context(), nil)
	require.NoError(t, err)
	require.EqualValues(t, callers*each, *page.Count, "each is placed, once")
}

func TestASignUpWhoseAnswersAreLostMakesOneMember(t *testing.T) {
	t.Parallel()
	network := &losing{lost: func(_, _ string, time int) bool { return time < 3 }}
	c := newClient().typed(t, network)
	email := unique() + "@e2e.test"
	member, err := c.SignUp(t.Context(), api.NewMember{Email: email, Password: password, Name: "김선기", Nickname: "sungi", Phone: "01083574364"}, nil)
	require.NoError(t, err)
	require.True(t, member.Replayed)
	require.Equal(t, 3, network.asked("POST /accounts/users"))
	again, err := c.GetMember(t.Context(), member.ID, nil)
	require.NoError(t, err)
	require.Equal(t, email, again.Email)
}

func TestManyWhoseTokenExpiresAtOnceGoOnAfterOneRefresh(t *testing.T) {
	t.Parallel()
	const callers = 30
	own, network := signUp(t), &losing{}
	c := own.typed(t, network)
	c.Resume(api.Grant{Token: expiredToken(t, own.token), RefreshToken: own.refresh})
	var group sync.WaitGroup
	failures := make([]error, callers)
	for i := range callers {
		group.Go(func() { _, failures[i] = c.CreateOrder(t.Context(), api.NewOrder{ProductName: "at once"}, nil) })
	}
	group.Wait()
	require.NoError(t, errors.Join(failures...))
	require.Equal(t, 1, network.asked("POST /auth/refresh"))
	page, err := c.ListOrders(t.Context(), nil)
	require.NoError(t, err)
	require.EqualValues(t, callers, *page.Count)
}

func TestASessionOutlivesRefreshesWhoseAnswersAreLost(t *testing.T) {
	t.Parallel()
	own := signUp(t)
	network := &losing{lost: func(_, path string, time int) bool { return path == "/auth/refresh" && time%3 != 0 }}
	c := own.typed(t, network)
	c.Resume(api.Grant{Token: own.token, RefreshToken: own.refresh})
	for rotation := 1; rotation <= 3; rotation++ {
		grant, _ := c.Grant()
		c.Resume(api.Grant{Token: expiredToken(t, grant.Token), RefreshToken: grant.RefreshToken})
		page, err := c.ListSessions(t.Context(), nil)
		require.NoError(t, err)
		require.Len(t, page.Results, 1)
		require.EqualValues(t, sessionOf(t, own.token), page.Results[0].ID)
		require.Equal(t, 3*rotation, network.asked("POST /auth/refresh"))
	}
	require.NoError(t, c.LogOut(t.Context()))
	require.Equal(t, http.StatusUnauthorized, own.do(t, http.MethodGet, "/orders/", nil).status)
}

func TestAnEditUnderAnOldTagIsRefusedWithItsCode(t *testing.T) {
	t.Parallel()
	c := signUp(t).typed(t, nil)
	order, err := c.CreateOrder(t.Context(), api.NewOrder{ProductName: "first"}, nil)
	require.NoError(t, err)
	_, err = c.ChangeOrder(t.Context(), order.ID, api.OrderChange{ProductName: new("second")}, &api.ChangeOrderParams{IfMatch: &order.ETag})
	require.NoError(t, err)
	_, err = c.ChangeOrder(t.Context(), order.ID, api.OrderChange{ProductName: new("third")}, &api.ChangeOrderParams{IfMatch: &order.ETag})
	var refusal *typed.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, fault.PreconditionFailed, refusal.Code)
	require.NotEmpty(t, refusal.RequestID)

	_, err = c.CreateOrder(t.Context(), api.NewOrder{ProductName: "", OrderNumber: new("short")}, nil)
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, fault.Invalid, refusal.Code)
	require.Contains(t, refusal.Fields, "order_number")
	require.Contains(t, refusal.Fields, "product_name")

	seen, err := c.GetOrder(t.Context(), order.ID, nil)
	require.NoError(t, err)
	require.Equal(t, "second", seen.ProductName)
	_, err = c.GetOrder(t.Context(), order.ID, &api.GetOrderParams{IfNoneMatch: &seen.ETag})
	require.ErrorIs(t, err, typed.ErrNotModified)
	var fields []api.FieldChangeField
	for step, err := range c.Steps(t.Context(), order.ID, &api.ListStepsParams{Limit: new(api.Limit(1))}) {
		require.NoError(t, err)
		for _, change := range step.Changes {
			fields = append(fields, change.Field)
		}
	}
	require.Equal(t, []api.FieldChangeField{api.FieldChangeFieldProductName}, fields)
}

func TestAnAdminReadsExportsAndAuditEventsByTheTypedClient(t *testing.T) {
	t.Parallel()
	admin, buyer := newAdmin(t).typed(t, nil), signUp(t)
	order, err := buyer.typed(t, nil).CreateOrder(t.Context(), api.NewOrder{ProductName: "exported"}, nil)
	require.NoError(t, err)
	format, customer := api.ExportOrdersParamsFormatNdjson, api.Customer(buyer.id)
	require.Eventually(t, func() bool { // an export may lack what others wrote within the last two seconds
		export, err := admin.ExportOrders(t.Context(), &api.ExportOrdersParams{Format: &format, Customer: &customer})
		require.NoError(t, err)
		defer export.Close()
		var rows []api.Order
		for lines := bufio.NewScanner(export); lines.Scan(); {
			var row api.Order
			require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
			rows = append(rows, row)
		}
		return len(rows) == 1 && rows[0].ID == order.ID
	}, patience, 50*time.Millisecond)

	subject := api.Subject(buyer.id)
	require.Eventually(t, func() bool {
		for event, err := range admin.AuditEvents(t.Context(), &api.ListAuditEventsParams{Subject: &subject}) {
			require.NoError(t, err)
			if event.Action == api.AuditActionSignUp {
				return true
			}
		}
		return false
	}, patience, 50*time.Millisecond)

	export, err := admin.ExportMembers(t.Context(), nil)
	require.NoError(t, err)
	defer export.Close()
	head, err := bufio.NewReader(export).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, head, "email")
	_, err = buyer.typed(t, nil).ExportMembers(t.Context(), nil)
	var refusal *typed.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, fault.Forbidden, refusal.Code)
}

// TestTheExampleOfTheClientRunsAsItIsPasted runs the program in the comment of libs/client, with only the gateway's address changed.
func TestTheExampleOfTheClientRunsAsItIsPasted(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../libs/client/client.go")
	require.NoError(t, err)
	var program strings.Builder
	for line := range strings.Lines(string(source)) {
		if code, found := strings.CutPrefix(line, "//\t"); found {
			program.WriteString(code)
		} else if line == "//\n" && program.Len() > 0 {
			program.WriteString("\n")
		}
	}
	const address = "http://localhost:8080"
	require.Contains(t, program.String(), address)
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(program.String(), address, gatewayURL())), 0o600))
	output, err := exec.CommandContext(t.Context(), "go", "run", file).CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Contains(t, string(output), "무지개 미니낭초 paid\nonly staff ship: ", "%s", output)
	require.Contains(t, string(output), "김선기 logs out\n")
}
