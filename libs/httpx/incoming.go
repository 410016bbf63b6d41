package httpx

import (
	"bytes"
	"errors"
)

var (
	errBareLF  = errors.New("a request line ends without CR LF")
	errEndless = errors.New("the request does not end")
)

const (
	// versionLength is that of "HTTP/1.1".
	versionLength = 8
	// maxRequest is more than the largest request that is served can take: its headers, and its body in chunks of one
	// byte, six bytes each.
	maxRequest = headerLimit + 6*BodyLimit + headerLimit
)

// incoming watches the bytes from a client for what fasthttp accepts and does not show: a request line that ends with LF
// alone (a server that wants CR LF reads what follows as part of the same line), and chunks whose extensions never end.
//
// It looks for an HTTP version before a bare LF, in bodies too, since it does not know where they end. No JSON has these
// bytes in this order: a line cannot end within a text, and a version cannot stand outside of one.
type incoming struct {
	tail  [versionLength]byte // the last bytes of what was read before
	count int                 // bytes read since the last answer
	head  headScanner
}

// check returns an error if what was read must not be taken for a request.
func (w *incoming) check(read []byte) error {
	w.head.scan(read)
	if w.count += len(read); w.count > maxRequest {
		return errEndless
	}
	for i := 0; i < len(read); i++ {
		next := bytes.IndexByte(read[i:], '\n')
		if next < 0 {
			break
		}
		i += next
		if isVersion(w.before(read, i)) {
			return errBareLF
		}
	}
	w.tail = w.before(read, len(read))
	return nil
}

// answered begins the count of the next request.
func (w *incoming) answered() {
	w.count = 0
	w.head = headScanner{line: w.head.line[:0]}
}

// before returns the bytes that precede position i.
func (w *incoming) before(read []byte, i int) (last [versionLength]byte) {
	if i >= versionLength {
		copy(last[:], read[i-versionLength:i])
		return last
	}
	kept := copy(last[:], w.tail[i:])
	copy(last[kept:], read[:i])
	return last
}

func isVersion(text [versionLength]byte) bool {
	return string(text[:5]) == "HTTP/" && text[6] == '.'
}
