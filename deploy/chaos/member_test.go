package chaos

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
)

// member is a client that does one thing after the other.
type member struct {
	id    uint64
	token string
	http  *http.Client
	// gateways are those that it uses in turn.
	gateways []string
	turn     int
	// echoes tells whether it shows the latest Consistency-Token that it was given. One that does not uses one gateway.
	echoes bool
	latest consistency.Token
	// careless members use both gateways without showing tokens. Nothing is promised to them.
	careless bool
	// fresh are its latest acknowledged orders, the newest last.
	fresh []order
}

// order is what a member knows of an order of its own.
type order struct {
	id      uint64
	product string
}

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// clientTimeout is longer than a gateway waits for a service.
const clientTimeout = 10 * time.Second

// newMembers signs up members: every second one echoes tokens and uses both gateways, the others use one each.
func newMembers(t *testing.T, count int) []*member {
	t.Helper()
	members := make([]*member, count)
	problems := make([]error, count)
	var signing sync.WaitGroup
	gate := make(chan struct{}, 2) // hashing passwords takes a core each
	for i := range members {
		signing.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			members[i], problems[i] = newMember(t.Context(), i)
		})
	}
	signing.Wait()
	for _, err := range problems {
		require.NoError(t, err)
	}
	return members
}

func newMember(ctx context.Context, number int) (*member, error) {
	m := &member{http: &http.Client{Timeout: clientTimeout, Transport: checks.Transport(&http.Transport{MaxIdleConnsPerHost: 1})}}
	for _, gateway := range world.gateways {
		m.gateways = append(m.gateways, gateway.URL)
	}
	body, err := json.Marshal(map[string]string{
		"email": strings.ToLower(rand.Text()) + "@chaos.test", "password": "Jhlee'spwd0", "name": "김선기", "nickname": "sungi",
		"phone": "01083574364",
	})
	if err != nil {
		return nil, err
	}
	got, err := m.send(ctx, http.MethodPost, m.gateways[0]+"/accounts/users", nil, body)
	if err != nil {
		return nil, err
	}
	var signedUp struct {
		Token string
		User  struct{ ID uint64 }
	}
	if err := json.Unmarshal(got.body, &signedUp); err != nil || got.status != http.StatusCreated {
		return nil, errors.Join(fmt.Errorf("sign up: %d %s", got.status, got.body), err)
	}
	m.id, m.token = signedUp.User.ID, signedUp.Token
	if m.echoes = number%2 == 0; !m.echoes {
		m.gateways = m.gateways[number/2%2:][:1]
	}
	return m, nil
}

// send sends a request once. The client's own retries are taken from it: what is counted is what the system answers.
func (m *member) send(ctx context.Context, method, url string, header map[string]string, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return answer{}, err
	}
	request.ContentLength = int64(len(body))
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if m.token != "" {
		request.Header.Set("Authorization", "Token "+m.token)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	if m.echoes && m.latest > 0 {
		request.Header.Set(consistency.Header, m.latest.String())
	}
	response, err := m.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	m.latest = max(m.latest, consistency.Parse(response.Header.Get(consistency.Header)))
	return answer{status: response.StatusCode, header: response.Header, body: content}, nil
}

// call sends a request through the gateway whose turn it is, and notes what became of it.
func (m *member) call(ctx context.Context, j *journal, method, path string, header map[string]string, body []byte) (answer, outcome) {
	m.turn++
	a := attempt{began: time.Now(), write: method != http.MethodGet}
	got, err := m.send(ctx, method, m.gateways[m.turn%len(m.gateways)]+path, header, body)
	a.ended = time.Now()
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		a.outcome, a.what = refused, err.Error()
	case err != nil:
		a.outcome, a.what = failed, method+": "+err.Error()
	case got.status >= http.StatusInternalServerError:
		a.outcome, a.what = failed, fmt.Sprintf("%s %s: %d %s", method, path, got.status, got.body)
	case got.status == http.StatusConflict:
		a.outcome = inFlight
	}
	j.note(a)
	return got, a.outcome
}

// retries is how often a member repeats a write whose outcome it does not know, or that a gateway refused to take.
const retries = 5

// write orders a product that nobody else orders, again with the same key until it is told that it has been.
func (m *member) write(ctx context.Context, j *journal, product string) (order, bool) {
	body, err := json.Marshal(map[string]string{"product_name": product})
	if err != nil {
		j.surprise("%v", err)
		return order{}, false
	}
	key := map[string]string{"Idempotency-Key": rand.Text()}
	for try, wait := 0, 100*time.Millisecond; try <= retries; try, wait = try+1, 2*wait {
		got, ended := m.call(ctx, j, http.MethodPost, "/orders/", key, body)
		if ended == succeeded {
			return m.told(j, product, got)
		}
		if !rest(ctx, wait) {
			break
		}
	}
	j.giveUp()
	return order{}, false
}

// told notes an order that the member was told to have.
func (m *member) told(j *journal, product string, got answer) (order, bool) {
	var created orders.Resource
	if err := json.Unmarshal(got.body, &created); err != nil || got.status != http.StatusCreated || created.ProductName != product {
		j.surprise("ordering %s: %d %s", product, got.status, got.body)
		return order{}, false
	}
	own := order{id: created.ID, product: product}
	j.acknowledge(product, acknowledgement{member: m, id: created.ID, at: time.Now()}, got.header.Get("Idempotency-Replayed") != "")
	if m.fresh = append(m.fresh, own); len(m.fresh) > 5 {
		m.fresh = m.fresh[1:]
	}
	return own, true
}

// page is a page of the list of orders.
type page struct {
	Count   int
	Results []orders.Resource
}

// list reads the own list and notes what it lacks. The latest orders are among the twenty highest ids also where some
// outcomes are unknown.
func (m *member) list(ctx context.Context, j *journal) {
	began := time.Now()
	got, ended := m.call(ctx, j, http.MethodGet, "/orders/?limit=20&ordering=-id", nil, nil)
	if ended != succeeded {
		return
	}
	var shown page
	if err := json.Unmarshal(got.body, &shown); err != nil || got.status != http.StatusOK {
		j.surprise("own list: %d %s", got.status, got.body)
		return
	}
	ids := map[uint64]bool{}
	for _, one := range shown.Results {
		ids[one.ID] = true
	}
	var missing []uint64
	for _, own := range m.fresh {
		if !ids[own.id] {
			missing = append(missing, own.id)
		}
	}
	m.saw(j, len(missing) == 0, "%s: the list of member %d lacks %v", began.Format(time.StampMilli), m.id, missing)
}

// read reads an order of the member's own.
func (m *member) read(ctx context.Context, j *journal, own order) {
	began := time.Now()
	got, ended := m.call(ctx, j, http.MethodGet, "/orders/"+strconv.FormatUint(own.id, 10), nil, nil)
	switch {
	case ended != succeeded:
	case got.status == http.StatusNotFound:
		m.saw(j, false, "%s: member %d is told that order %d does not exist", began.Format(time.StampMilli), m.id, own.id)
	case got.status != http.StatusOK:
		j.surprise("own order: %d %s", got.status, got.body)
	default:
		m.saw(j, true, "")
	}
}

// saw notes whether a read showed what it had to.
func (m *member) saw(j *journal, all bool, format string, arguments ...any) {
	switch {
	case m.careless:
		j.measure(!all)
	case !all && m.echoes:
		j.lacks("echoing, "+format, arguments...)
	case !all:
		j.lacks("one gateway, "+format, arguments...)
	}
}
