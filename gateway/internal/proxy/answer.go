package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"time"

	"github.com/valyala/fasthttp"
)

// headerLimit, in bytes, is the size that the head of an answer may have.
const headerLimit = 64 << 10

// unknownLength is the length of a body that comes in chunks, as fasthttp tells it.
const unknownLength = -1

// Answer is what an instance has answered: its head, which has been read, and its body, which has not. Its connection is in use until
// it is closed; nothing of it may be used after that.
type Answer struct {
	*fasthttp.Response
	conn   net.Conn
	reader *bufio.Reader
	// large is set if the head was larger than the buffer of reader. It has read on from there.
	large *bufio.Reader
	// release takes the connection back.
	release func(reuse bool)
	// whole is set once all of the answer has been read, so that its connection can bear the next one.
	whole bool
}

func newAnswer(conn net.Conn, reader *bufio.Reader) *Answer {
	answer := &Answer{Response: fasthttp.AcquireResponse(), conn: conn, reader: reader}
	answer.Header.SetNoDefaultContentType(true)
	return answer
}

// errNoAnswer says that a connection broke before anything of an answer came.
var errNoAnswer = errors.New("no answer")

// readHead reads the head of the answer to a HEAD request or to another one.
func (a *Answer) readHead(isHead bool) error {
	if _, err := a.reader.Peek(1); err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	a.SkipBody = true
	err := a.ReadLimitBody(a.reader, 0)
	if _, small := errors.AsType[*fasthttp.ErrSmallBuffer](err); small {
		a.large = bufio.NewReaderSize(a.reader, headerLimit)
		err = a.ReadLimitBody(a.large, 0)
	}
	if err != nil {
		return err
	}
	status := a.StatusCode()
	if status < http.StatusOK {
		return fmt.Errorf("status %d is no answer to what was asked", status)
	}
	a.SkipBody = isHead || status == http.StatusNoContent || status == http.StatusNotModified
	// A 204 must not announce a body. Who does so may send one.
	length := a.Header.ContentLength()
	a.whole = a.SkipBody && (status != http.StatusNoContent || length <= 0 && length != unknownLength)
	return nil
}

// readBody returns the whole body. The error is fasthttp.ErrBodyTooLarge if that has more than MaxAnswer bytes.
func (a *Answer) readBody() ([]byte, error) {
	length := a.Header.ContentLength()
	if length > MaxAnswer {
		return nil, fasthttp.ErrBodyTooLarge
	}
	if length >= 0 {
		body := make([]byte, length)
		if _, err := io.ReadFull(a.source(), body); err != nil {
			return nil, err
		}
		a.whole = true
		return body, nil
	}
	var source io.Reader = a.source() // without chunks the end of the connection ends the body
	if length == unknownLength {
		source = httputil.NewChunkedReader(source)
	}
	body, err := io.ReadAll(io.LimitReader(source, MaxAnswer+1))
	if err == nil && len(body) > MaxAnswer {
		err = fasthttp.ErrBodyTooLarge
	}
	if err == nil && length == unknownLength {
		err = a.Header.ReadTrailer(a.source())
	}
	if err != nil {
		return nil, err
	}
	a.whole = true
	return body, nil
}

// pieces returns the body piece by piece, each of which must come within a time.
func (a *Answer) pieces(within time.Duration) io.Reader {
	return httputil.NewChunkedReader(&timely{a.source(), a.conn, within})
}

func (a *Answer) source() *bufio.Reader {
	if a.large != nil {
		return a.large
	}
	return a.reader
}

// Close gives the connection back. It is closed if there is something left to read.
func (a *Answer) Close() {
	a.release(a.whole && a.large == nil && a.reader.Buffered() == 0 && !a.ConnectionClose())
	fasthttp.ReleaseResponse(a.Response)
}

// timely reads from a connection on which bytes must come within a time.
type timely struct {
	source *bufio.Reader
	conn   net.Conn
	within time.Duration
}

func (t *timely) Read(into []byte) (int, error) {
	if err := t.conn.SetReadDeadline(time.Now().Add(t.within)); err != nil {
		return 0, err
	}
	return t.source.Read(into)
}
