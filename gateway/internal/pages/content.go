package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/netip"

	"github.com/gofiber/fiber/v2"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/httpx"
)

const (
	// tagBytes of a content's SHA-256 are its tag.
	tagBytes = 8
	// unzipBytes are what it takes to unzip for one client: gzip's window, and what it needs to read.
	unzipBytes = 64 << 10

	gzipped = "gzip"
	// forever is for an address that names the tag of what is there. All else is asked for again, and mostly not sent again.
	forever = "public, max-age=31536000, immutable"
	always  = "no-cache"
)

// content is an answer that is the same for everybody.
type content struct {
	kind string
	// policy is the Content-Security-Policy of a page; "" for what is none.
	policy string
	// immutable is set for what pages address with its tag.
	immutable bool
	plain     []byte // nil for what is only kept compressed
	zipped    []byte
	size      int // of what is not compressed
	tag       string
}

func newContent(kind string, plain []byte) *content {
	created := newZipped(kind, zip(plain))
	created.plain = plain
	return created
}

func newZipped(kind string, zipped []byte) *content {
	hash := sha256.Sum256(zipped)
	return &content{kind: kind, zipped: zipped, size: sizeOf(zipped), tag: hex.EncodeToString(hash[:tagBytes])}
}

// answer sends the content, compressed to who takes that. It holds no memory for each client but where it must unzip; that comes
// from the share of the client's network.
func (o *content) answer(c *fiber.Ctx, answers *fairshare.Pool[netip.Addr]) error {
	zipped := c.Request().Header.HasAcceptEncoding(gzipped)
	tag := o.tag
	if zipped {
		tag += "-" + gzipped
	}
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderCacheControl, always)
	if o.immutable && c.Query("v") == o.tag {
		c.Set(fiber.HeaderCacheControl, forever)
	}
	if o.policy != "" {
		// A 304 needs it, too: its headers replace those that the browser keeps.
		c.Set(fiber.HeaderContentSecurityPolicy, o.policy)
	}
	if unchanged, err := httpx.Tag(c, tag); unchanged || err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, o.kind)
	if zipped {
		c.Set(fiber.HeaderContentEncoding, gzipped)
	}
	return o.send(c, zipped, answers)
}

// send sends the body. A slow client may take its time, since the largest file takes a slow line longer than other answers may take.
func (o *content) send(c *fiber.Ctx, zipped bool, answers *fairshare.Pool[netip.Addr]) error {
	switch {
	case zipped:
		send(c, o.zipped)
	case o.plain != nil:
		send(c, o.plain)
	case c.Method() == fiber.MethodHead:
		c.Response().Header.SetContentLength(o.size)
	default:
		network := forwarded.Network(forwarded.Of(c).Address)
		if err := answers.Take(network, unzipBytes); err != nil {
			return err
		}
		body, err := unzip(o.zipped)
		if err != nil {
			answers.Give(network, unzipBytes)
			return err
		}
		httpx.SendSized(c, &shared{body, func() { answers.Give(network, unzipBytes) }}, o.size)
	}
	return nil
}

func send(c *fiber.Ctx, body []byte) {
	httpx.SendSized(c, io.NopCloser(bytes.NewReader(body)), len(body))
}

// shared is a body that gives back what it took.
type shared struct {
	io.ReadCloser
	give func()
}

// Close is called by fasthttp after the last write, whether that succeeded or not.
func (s *shared) Close() error {
	s.give()
	return s.ReadCloser.Close()
}
