package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
)

// received is what the service got.
type received struct {
	method, target, body string
	header               http.Header
	length               int64
	encoding             []string
}

// record returns a service that answers 200 and tells what it got.
func record(t *testing.T) (string, <-chan received) {
	t.Helper()
	got := make(chan received, 10)
	return upstream(t, func(_ http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		got <- received{
			request.Method, request.RequestURI, string(body), request.Header, request.ContentLength, request.TransferEncoding,
		}
	}), got
}

func TestServiceBelievesNothingThatTheClientSaysAboutItself(t *testing.T) {
	t.Parallel()
	address, got := record(t)
	proxy := forwardTo(t, address, setup{})
	reply := proxy.ask(t, http.MethodPost, "/orders/", `{}`, http.Header{
		"Host":                   {"shop.test:8080"},
		"Accept":                 {"application/json"},
		"Accept-Language":        {"ko"},
		"Content-Type":           {"application/json"},
		"User-Agent":             {"tester"},
		"Oms-Principal":          {"forged"},
		"oms-principal":          {"forged"},
		"Oms-Revocations":        {"forged"},
		"Authorization":          {"Token secret"},
		"Cookie":                 {"a=b"},
		"Forwarded":              {"for=1.2.3.4"},
		"Idempotency-Key":        {"1"},
		"X-Forwarded-For":        {"1.2.3.4"},
		"X-Forwarded-Host":       {"evil.test"},
		"X-Forwarded-Prefix":     {"/evil"},
		"X-Forwarded-Proto":      {"https"},
		"X-Http-Method-Override": {"DELETE"},
		"X-Real-Ip":              {"1.2.3.4"},
		"X-Request-Id":           {"forged"},
		"Connection":             {"keep-alive, Accept-Language"},
		"Keep-Alive":             {"timeout=5"},
		"Proxy-Authorization":    {"Basic x"},
		"Te":                     {"trailers"},
		"Upgrade":                {"websocket"},
	})
	require.Equal(t, http.StatusOK, reply.status)
	request := <-got
	principal, err := proxy.verifier.Verify(request.header.Get(assertion.Header))
	require.NoError(t, err)
	require.Equal(t, asking, principal)
	require.Equal(t, reply.header.Get("X-Request-Id"), request.header.Get("X-Request-Id"))
	require.Len(t, request.header.Values(assertion.Header), 1)
	request.header.Del(assertion.Header)
	request.header.Del("X-Request-Id")
	require.Equal(t, http.Header{
		"Accept":            {"application/json"},
		"Content-Length":    {"2"},
		"Content-Type":      {"application/json"},
		"Idempotency-Key":   {"1"},
		"User-Agent":        {"tester"},
		"X-Forwarded-Host":  {"shop.test:8080"},
		"X-Forwarded-Proto": {"http"},
	}, request.header)
}

func TestServiceLearnsFromATrustedProxyUnderWhichURLTheClientAsked(t *testing.T) {
	t.Parallel()
	address, got := record(t)
	proxy := forwardTo(t, address, setup{trusted: "127.0.0.1"})
	reply := proxy.ask(t, http.MethodGet, "/orders/", "", http.Header{
		"X-Forwarded-Host": {"front.test"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Prefix": {"/api"},
	})
	require.Equal(t, http.StatusOK, reply.status)
	request := (<-got).header
	require.Equal(t, []string{"front.test", "https", "/api"},
		[]string{request.Get("X-Forwarded-Host"), request.Get("X-Forwarded-Proto"), request.Get("X-Forwarded-Prefix")})
}

// These requests have one meaning, however odd they look. What has two by any reading is refused (libs/httpx).
func TestServiceGetsExactlyWhatTheClientSent(t *testing.T) {
	t.Parallel()
	address, got := record(t)
	proxy := forwardTo(t, address, setup{})
	const post = "POST /orders/ HTTP/1.1\r\nHost: a\r\n"
	const hidden = "POST /orders/?hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	for name, test := range map[string]struct{ request, body string }{
		"chunk extension":       {post + "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n", "{}"},
		"identity in a trailer": {post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nOms-Principal: x\r\n\r\n", "{}"},
		"change to HTTP/2":      {post + "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}", "{}"},
		"body of a read":        {"GET /orders/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nPOST ", ""},
		"lines before":          {"\r\n\r\n" + post + "Content-Length: 2\r\n\r\n{}", "{}"},
	} {
		proxy.exchange(t, test.request+hidden)
		first, second := <-got, <-got
		require.Equal(t, []string{"/orders/", test.body}, []string{first.target, first.body}, name)
		require.Len(t, first.header.Values(assertion.Header), 1, name)
		require.Equal(t, []string{"/orders/?hidden", ""}, []string{second.target, second.body}, name)
		require.Empty(t, got, name)
	}
}

func TestPathAndQueryArriveAsTheyWereSent(t *testing.T) {
	t.Parallel()
	address, got := record(t)
	proxy := forwardTo(t, address, setup{})
	for _, target := range []string{
		"/orders/", "/orders", "/orders/5?", "/orders/?search=a%20b+c&limit=2&&x", "/orders/?q=%EA%BC%AC&r=%2F..%2f;a=b",
		"/orders/?next=http://a.test/?b=c", "/orders/?q=..//./", "/orders/?q=%25%32%66",
	} {
		require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodGet, target, "", nil).status, target)
		require.Equal(t, strings.TrimSuffix(target, "?"), (<-got).target)
	}
}

func TestBodyArrivesWholeAndWithItsLength(t *testing.T) {
	t.Parallel()
	address, got := record(t)
	proxy := forwardTo(t, address, setup{})
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, body := range []string{"", "x", strings.Repeat("한", 20_000)} {
			require.Equal(t, http.StatusOK, proxy.ask(t, method, "/orders/1", body, nil).status)
			request := <-got
			require.Equal(t, method, request.method)
			require.Equal(t, body, request.body)
			require.Equal(t, int64(len(body)), request.length)
			require.Empty(t, request.encoding)
		}
	}
}

func TestHostThatNoLinkMayShowIsRefused(t *testing.T) {
	t.Parallel()
	proxy := forwardTo(t, upstream(t, func(http.ResponseWriter, *http.Request) { t.Error("the service is asked") }), setup{})
	for _, host := range []string{`a"b`, "a,b", "user:pw@evil.example:80", "a:99999999", "a.", "a%2eb", "1.2.3"} {
		reply := proxy.ask(t, http.MethodGet, "/orders/", "", http.Header{"Host": {host}})
		require.Equal(t, http.StatusBadRequest, reply.status, host)
	}
}

func TestAnswerPassesWithoutWhatIsMeantForTheGateway(t *testing.T) {
	t.Parallel()
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"Content-Type": "application/problem+json", "Degraded": "last_order", "Location": "/orders/1",
			"Oms-Revocations": "{}", "Oms-Other": "x", "X-Request-Id": "other", "Server": "other",
			"Connection": "X-Hop", "X-Hop": "x", "Keep-Alive": "timeout=1", "Proxy-Authenticate": "x", "Upgrade": "h2c",
		} {
			w.Header().Set(name, value)
		}
		w.Header()["Warning"] = []string{"1", "2"}
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, `{"a":"b"}`)
	}), setup{})
	reply := proxy.ask(t, http.MethodGet, "/orders/", "", nil)
	require.Equal(t, http.StatusTeapot, reply.status)
	require.JSONEq(t, `{"a":"b"}`, reply.body)
	require.NotEqual(t, "other", reply.header.Get("X-Request-Id"))
	reply.header.Del("Date")
	reply.header.Del("X-Request-Id")
	require.Equal(t, http.Header{
		"Content-Length": {"9"}, "Content-Type": {"application/problem+json"}, "Degraded": {"last_order"},
		"Location": {"/orders/1"}, "Warning": {"1", "2"},
	}, reply.header)
}

func TestAnswerWithoutBodyKeepsItsMeaning(t *testing.T) {
	t.Parallel()
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodHead {
			w.Header().Set("Content-Length", "1234")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}), setup{})
	head := proxy.ask(t, http.MethodHead, "/orders/", "", nil)
	require.Equal(t, http.StatusOK, head.status)
	require.Equal(t, "1234", head.header.Get("Content-Length"))
	gone := proxy.ask(t, http.MethodDelete, "/orders/1", "", nil)
	require.Equal(t, http.StatusNoContent, gone.status)
	require.Empty(t, gone.body)
}

func TestAnswerIsReadBeforeTheClientGetsItWhateverItsStatus(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	read := func(caller authn.Principal, answer *fasthttp.ResponseHeader) error {
		heard <- fmt.Sprintf("%d %s", caller.MemberID, answer.Peek("Oms-Revocations"))
		return nil
	}
	unreadable := func(authn.Principal, *fasthttp.ResponseHeader) error { return errors.New("unreadable") }
	for _, status := range []int{http.StatusNoContent, http.StatusServiceUnavailable} {
		address := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Oms-Revocations", "sessions")
			w.WriteHeader(status)
		})
		reply := forwardTo(t, address, setup{readers: []AnswerReader{read, read}}).ask(t, http.MethodPost, "/auth/logout", "", nil)
		require.Equal(t, status, reply.status)
		require.Equal(t, []string{"7 sessions", "7 sessions"}, []string{<-heard, <-heard})
		require.NotContains(t, reply.header, "Oms-Revocations")

		reply = forwardTo(t, address, setup{readers: []AnswerReader{unreadable}}).ask(t, http.MethodPost, "/auth/logout", "", nil)
		require.Equal(t, http.StatusInternalServerError, reply.status)
	}
}

func TestAnswerBeyondTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	for name, announced := range map[string]bool{"announced": true, "not announced": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, _ *http.Request) {
				if announced {
					w.Header().Set("Content-Length", strconv.Itoa(MaxAnswer+1))
				}
				_, _ = w.Write(make([]byte, MaxAnswer+1))
			}), setup{})
			reply := proxy.ask(t, http.MethodGet, "/orders/", "", nil)
			require.Equal(t, http.StatusInternalServerError, reply.status)
			require.Less(t, len(reply.body), 1000)
		})
	}
	whole := forwardTo(t, upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, MaxAnswer))
	}), setup{})
	require.Len(t, whole.ask(t, http.MethodGet, "/orders/", "", nil).body, MaxAnswer)
}

func TestServiceHearsWhatTheRequestMustSeeAndTheClientWhatItWrote(t *testing.T) {
	t.Parallel()
	required := func(memberID uint64, sent consistency.Token) consistency.Token {
		return sent * consistency.Token(memberID)
	}
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set(consistency.Header, "50")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, strings.Join(request.Header.Values(consistency.Header), " and "))
	}), setup{required: required})
	for want, sent := range map[string][]string{"70": {"10"}, "140": {"10", "20"}, "": {"garbage"}} {
		reply := proxy.ask(t, http.MethodPost, "/orders/", "{}", http.Header{consistency.Header: sent})
		require.Equal(t, want, reply.body)
		require.Equal(t, "50", reply.header.Get(consistency.Header), "refusals tell it too")
	}
}
