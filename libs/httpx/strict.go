package httpx

import (
	"bytes"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/fault"
)

// refuseAmbiguous refuses requests that fasthttp accepts and another server may read differently, and closes their connection,
// so that nothing that follows is taken for a request. RFC 9112 demands or allows each of these refusals.
func refuseAmbiguous(c *fiber.Ctx) error {
	header := &c.Request().Header
	err := ambiguity(header.RawHeaders())
	if version := string(header.Protocol()); version != "HTTP/1.1" && version != "HTTP/1.0" {
		err = errors.Join(err, errors.New("version "+version))
	}
	if err != nil {
		c.Context().SetConnectionClose()
		return fault.New(fault.Malformed, "The request could not be read.", err)
	}
	return nil
}

// ambiguity returns an error if a block of header lines can be read in two ways. The block is what the client sent, byte by byte.
func ambiguity(block []byte) error {
	var length, encoding, mediaType bool
	for line := range bytes.Lines(block) {
		line, found := bytes.CutSuffix(line, []byte("\r\n"))
		if !found {
			return errors.New("a line ends without CR LF")
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !IsToken(name) {
			return errors.New("a header name is folded or not a token")
		}
		switch strings.ToLower(string(name)) {
		case "content-length":
			length = true
		case "content-type":
			if mediaType {
				return errors.New("two media types")
			}
			mediaType = true
		case "transfer-encoding":
			encoding = true
			if !bytes.EqualFold(bytes.Trim(value, " \t"), []byte("chunked")) {
				return errors.New("a transfer encoding other than chunked")
			}
		}
	}
	if length && encoding {
		return errors.New("both Content-Length and Transfer-Encoding")
	}
	return nil
}

// IsToken reports whether a text is a token of RFC 9110, section 5.6.2, such as the name of a header.
func IsToken[T string | []byte](name T) bool {
	for _, char := range []byte(name) {
		letter := 'a' <= char|0x20 && char|0x20 <= 'z'
		digit := '0' <= char && char <= '9'
		if !letter && !digit && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(char)) {
			return false
		}
	}
	return len(name) > 0
}
