package described

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Checks holds the answers that tests get to a description, and remembers which ones are against it, because some tests send requests
// whose errors they do not mind. The zero value with a description is ready.
type Checks struct {
	Description *Description

	mutex sync.Mutex
	first []error
	count int
}

// Transport returns a transport through which each answer that is against the description is an error for who asked.
func (c *Checks) Transport(next http.RoundTripper) http.RoundTripper { return checking{next, c} }

// Err tells of all answers that were against the description.
func (c *Checks) Err() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.count == 0 {
		return nil
	}
	return fmt.Errorf("%d answers were against the description, the first ones:\n%w", c.count, errors.Join(c.first...))
}

func (c *Checks) remember(against error) {
	const told = 10
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.count++; c.count <= told {
		c.first = append(c.first, against)
	}
}

type checking struct {
	next   http.RoundTripper
	checks *Checks
}

// RoundTrip passes on an answer that breaks off as far as it came, and does not check it.
func (c checking) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := c.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	content, broken := io.ReadAll(answer.Body)
	answer.Body = partly{bytes.NewReader(content), broken, answer.Body}
	if broken == nil {
		against := c.checks.Description.Check(request.Method, request.URL.RequestURI(), answer.StatusCode, answer.Header, content)
		if against != nil {
			c.checks.remember(against)
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
