package described

import (
	"bytes"
	"io"
	"net/http"
)

// Transport checks each answer that comes through it. One that is against the description is an error for who asked.
type Transport struct {
	Next        http.RoundTripper
	Description *Description
	// Report hears of each such answer, because some tests send requests whose errors they do not mind.
	Report func(error)
}

// RoundTrip implements http.RoundTripper. An answer that breaks off is passed on as far as it came, and not checked.
func (t Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := t.Next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	content, broken := io.ReadAll(answer.Body)
	answer.Body = partly{bytes.NewReader(content), broken, answer.Body}
	if broken == nil {
		against := t.Description.Check(request.Method, request.URL.RequestURI(), answer.StatusCode, answer.Header, content)
		if against != nil {
			t.Report(against)
			_ = answer.Body.Close()
			return nil, against
		}
	}
	return answer, nil
}

// partly is a body that was read, with the error at its end.
type partly struct {
	content *bytes.Reader
	broken  error
	io.Closer
}

func (p partly) Read(into []byte) (int, error) {
	count, err := p.content.Read(into)
	if err == io.EOF && p.broken != nil {
		err = p.broken
	}
	return count, err
}
