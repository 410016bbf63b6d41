package proxy

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/authn"
	"oms.internal/libs/httpx"
)

func TestAnswersThatAreNotPassedOnGiveTheirConnectionsBack(t *testing.T) {
	t.Parallel()
	stream := func(w http.ResponseWriter, request *http.Request) {
		if request.URL.RawQuery == "last" {
			return
		}
		w.Header().Set(httpx.HeaderStream, "1")
		w.Header().Set("X-Readable", "no")
		_ = http.NewResponseController(w).Flush()
		<-request.Context().Done()
	}
	panics := func(_ authn.Principal, answer *fasthttp.ResponseHeader) error {
		if len(answer.Peek("X-Readable")) > 0 {
			panic("unforeseen")
		}
		return nil
	}
	for name, test := range map[string]struct {
		readers  []AnswerReader
		protocol string
	}{
		"streams to clients of HTTP/1.0, who cannot have them": {nil, "HTTP/1.0"},
		"answers that make the gateway panic":                  {[]AnswerReader{panics}, "HTTP/1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := forwardTo(t, upstream(t, stream), setup{readers: test.readers})
			for range connections {
				proxy.exchange(t, "GET /orders/export "+test.protocol+"\r\nHost: a\r\nConnection: close\r\n\r\n")
			}
			require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodGet, "/orders/?last", "", nil).status)
		})
	}
}
