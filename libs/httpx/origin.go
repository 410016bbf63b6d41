package httpx

import (
	"bytes"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Origin returns the Origin header of a request, also of one that could not be read: a page of another site can read a
// refusal only if that names the page's origin. It returns "" if there is none.
//
// Where the head is too large, the Origin may stand behind what the server has read. Then it reads on, for at most 5 s.
func Origin(request *fasthttp.RequestCtx) string {
	if origin := request.Request.Header.Peek(fiber.HeaderOrigin); len(origin) > 0 {
		return string(origin)
	}
	conn := connOf(request)
	if conn.headIsCut {
		conn.readOn(conn.incoming.head.done)
	}
	return conn.incoming.head.origin()
}

const (
	originPrefix = "origin:"
	// maxOriginLine is more than a scheme, the longest host and a port can take.
	maxOriginLine = 300
)

// headScanner looks for the Origin in the bytes of a request's head, which may arrive in any pieces. It copies no line but
// that one.
type headScanner struct {
	line  []byte // the line that is arriving, or its first bytes if it is another one; once found, the whole line
	found bool
	ended bool // whether the head is over
}

func (s *headScanner) scan(read []byte) {
	for len(read) > 0 && !s.done() {
		piece, rest, whole := bytes.Cut(read, []byte("\n"))
		s.add(piece)
		if whole {
			s.endLine()
		}
		read = rest
	}
}

func (s *headScanner) done() bool { return s.found || s.ended }

// add takes a piece of a line. Of a line that cannot be the one that is looked for, only as much as shows that.
func (s *headScanner) add(piece []byte) {
	var start [len(originPrefix)]byte
	known := copy(start[:], s.line)
	known += copy(start[known:], piece)
	room := known
	if bytes.EqualFold(start[:known], []byte(originPrefix[:known])) {
		room = maxOriginLine
	}
	room = max(0, room-len(s.line))
	s.line = append(s.line, piece[:min(len(piece), room)]...)
}

func (s *headScanner) endLine() {
	s.ended = len(s.line) == 0 || string(s.line) == "\r"
	s.found = len(s.line) < maxOriginLine && len(s.line) >= len(originPrefix) &&
		bytes.EqualFold(s.line[:len(originPrefix)], []byte(originPrefix))
	if !s.found {
		s.line = s.line[:0]
	}
}

func (s *headScanner) origin() string {
	if !s.found {
		return ""
	}
	return string(bytes.TrimSpace(s.line[len(originPrefix):]))
}
