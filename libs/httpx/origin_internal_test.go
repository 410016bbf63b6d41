package httpx

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheOriginIsFoundInAHeadThatIsNotWhole(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"GET / HTTP/1.1\r\nOrigin: https://a.test\r\n":                           "https://a.test",
		"GET / HTTP/1.1\r\nX: y\r\nORIGIN:https://a.test \nX: y":                 "https://a.test",
		"GET / HTTP/1.1\r\nOrigin: https://a.test\r\nOrigin: https://b.test\r\n": "https://a.test",
		"GET / HTTP/1.1\r\nOrigin: https://a.te":                                 "",
		"GET / HTTP/1.1\r\nX-Origin: https://a.test\r\n":                         "",
		"GET / HTTP/1.1\r\nX: origin: https://a.test\r\n":                        "",
		"GET / HTTP/1.1\r\nOrigin : https://a.test\r\n":                          "",
		"GET / HTTP/1.1\r\n\r\nOrigin: https://a.test\r\n":                       "", // that is the body
		"Origin: https://a.test\r\n":                                             "https://a.test",
		"":                                                                       "",
	} {
		for size := 1; size <= max(1, len(head)); size++ {
			var scanner headScanner
			for piece := range slices.Chunk([]byte(head), size) {
				scanner.scan(piece)
			}
			require.Equal(t, want, scanner.origin(), "%q in pieces of %d", head, size)
		}
	}
}

func FuzzTheHeadIsScannedInBoundedMemoryHoweverItIsCut(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nOrigin: https://a.test\r\n\r\n"), 3)
	f.Add([]byte("origin:\n\n"), 1)
	f.Add([]byte("\r\norigin: a\r\n"), 2)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if size < 1 || size > len(stream) {
			return
		}
		var whole, cut headScanner
		whole.scan(stream)
		for piece := range slices.Chunk(stream, size) {
			cut.scan(piece)
			require.LessOrEqual(t, len(cut.line), maxOriginLine)
		}
		require.Equal(t, whole.origin(), cut.origin())
		require.Equal(t, whole.done(), cut.done())
	})
}
