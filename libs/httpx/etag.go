package httpx

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/fault"
)

// tagBytes of a body's SHA-256 go into its tag: 22 characters.
const tagBytes = 16

// AnswerTagged writes value as JSON with an entity tag, which is made of the row's id and version and of the body's hash. It
// answers 304 to a GET or HEAD if the client has this answer already (If-None-Match).
//
// If-Match compares the id and the version only. The hash changes the tag also when something changes that is not part of the
// row, such as the last order of a member.
func AnswerTagged(c *fiber.Ctx, status int, id, version uint64, value any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(encoded)
	tag := stateOf(id, version) + "-" + base64.RawURLEncoding.EncodeToString(hash[:tagBytes])
	unchanged, err := Tag(c, tag)
	if unchanged || err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(status).Send(encoded)
}

// Tag gives the answer an entity tag. If the client of a GET or HEAD has the answer with this tag already (If-None-Match), Tag
// makes it a 304 and returns true.
func Tag(c *fiber.Ctx, tag string) (unchanged bool, err error) {
	var held tags
	if c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead {
		// Other methods have done their work by now, so it is too late to refuse their header.
		if held, err = readTags(c, fiber.HeaderIfNoneMatch); err != nil {
			return false, err
		}
	}
	c.Set(fiber.HeaderETag, `"`+tag+`"`)
	if held.matches(tag) {
		c.Status(fiber.StatusNotModified)
		return true, nil
	}
	return false, nil
}

// stateOf is what a tag begins with: which row in which version.
func stateOf(id, version uint64) string {
	return strconv.FormatUint(id, 10) + "." + strconv.FormatUint(version, 10)
}

// Precondition is what a client demands of the row that it is about to change. The zero value demands nothing.
type Precondition struct {
	id               uint64
	match, noneMatch tags
}

// IfMatch reads the precondition of a request that changes the row of this id: If-Match, and its contrary, If-None-Match
// (RFC 9110, section 13.1). A header that cannot be read is a fault: to ignore it could overwrite what the client wants to
// keep.
func IfMatch(c *fiber.Ctx, id uint64) (Precondition, error) {
	match, err := readTags(c, fiber.HeaderIfMatch)
	if err != nil {
		return Precondition{}, err
	}
	noneMatch, err := readTags(c, fiber.HeaderIfNoneMatch)
	if err != nil {
		return Precondition{}, err
	}
	return Precondition{id, match, noneMatch}, nil
}

// Allows reports whether a row of this version, which exists, may be changed. Of a tag only id and version count: its hash
// also covers what is not the row's.
func (p Precondition) Allows(version uint64) bool {
	state := stateOf(p.id, version)
	if p.match.given && !p.match.any && !p.match.has(state, false) {
		return false
	}
	return !p.noneMatch.any && !p.noneMatch.has(state, true)
}

// tags are those that a header lists.
type tags struct {
	given, any bool
	list       []tag
}

type tag struct {
	opaque string
	weak   bool
}

// matches compares weakly: whether a tag is weak does not count.
func (t tags) matches(opaque string) bool {
	for _, listed := range t.list {
		if listed.opaque == opaque {
			return true
		}
	}
	return t.any
}

// has reports whether a tag of this state is listed. Weak tags count only if weak is true; in If-Match they do not.
func (t tags) has(state string, weak bool) bool {
	for _, listed := range t.list {
		found, _, ok := strings.Cut(listed.opaque, "-")
		if ok && found == state && (weak || !listed.weak) {
			return true
		}
	}
	return false
}

// readTags reads a header of the form "*" or a list of entity tags, whose empty elements do not count.
func readTags(c *fiber.Ctx, name string) (tags, error) {
	var lines []string
	for _, line := range c.Request().Header.PeekAll(name) {
		lines = append(lines, string(line))
	}
	if len(lines) == 0 {
		return tags{}, nil
	}
	found, ok := parseTags(strings.Join(lines, ","))
	if !ok {
		return tags{}, fault.New(fault.Malformed, "The header "+name+" is not a list of entity tags.", nil)
	}
	return found, nil
}

const blanks = " \t"

// parseTags reads tags one by one, since a comma may be part of a tag.
func parseTags(text string) (found tags, ok bool) {
	found.given = true
	text = strings.Trim(text, blanks+",")
	if text == "*" {
		found.any = true
		return found, true
	}
	for text != "" {
		var next tag
		text, next.weak = strings.CutPrefix(text, "W/")
		text, ok = strings.CutPrefix(text, `"`)
		end := strings.IndexByte(text, '"')
		if !ok || end < 0 || !isOpaque(text[:end]) {
			return tags{}, false
		}
		next.opaque = text[:end]
		found.list = append(found.list, next)
		rest := strings.TrimLeft(text[end+1:], blanks)
		if rest != "" && rest[0] != ',' {
			return tags{}, false
		}
		text = strings.TrimLeft(rest, blanks+",")
	}
	return found, len(found.list) > 0
}

// isOpaque reports whether a tag holds nothing but what RFC 9110, section 8.8.3, allows: no blanks, no control characters.
func isOpaque(text string) bool {
	for _, char := range []byte(text) {
		if char <= ' ' || char == 0x7f {
			return false
		}
	}
	return true
}
