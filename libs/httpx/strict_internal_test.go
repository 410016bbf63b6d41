package httpx

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzUnambiguousHeadersMeanTheSameWithoutTolerance(f *testing.F) {
	for _, block := range []string{
		"Host: x\r\nContent-Length: 5\r\n\r\n", "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n",
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "A: b\n\r\n", "A: b\r\n c\r\n\r\n", "A b: c\r\n\r\n", "\r\n", "",
	} {
		f.Add([]byte(block))
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		if ambiguity(block) != nil {
			return
		}
		head, _, _ := bytes.Cut(append([]byte("\r\n"), block...), []byte("\r\n\r\n"))
		require.Equal(t, bytes.Count(head, []byte("\n")), bytes.Count(head, []byte("\r\n")))
		require.NotContains(t, string(head), "\n ")
		require.NotContains(t, string(head), "\n\t")
		lower := bytes.ToLower(head)
		require.False(t, bytes.Contains(lower, []byte("\ncontent-length:")) && bytes.Contains(lower, []byte("\ntransfer-encoding:")))
	})
}

func FuzzRequestLineWithLFAloneIsSeenHoweverItIsCut(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\nHost: x\r\n\r\n"), 3)
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 15)
	f.Add([]byte("HTTP/1.0\n"), 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if size < 1 || size > len(stream) || len(stream) > maxRequest {
			return
		}
		whole, cut := &incoming{}, &incoming{}
		want := whole.check(stream)
		var got error
		for piece := range slices.Chunk(stream, size) {
			if err := cut.check(piece); err != nil {
				got = err
				break
			}
		}
		require.Equal(t, want, got)
	})
}
