package httpx

import (
	"time"

	"github.com/valyala/fasthttp"
)

// ReadableForTest reports whether text is a list of entity tags.
func ReadableForTest(text string) bool {
	_, ok := parseTags(text)
	return ok
}

// AllowsForTest reports whether If-Match with this text allows a change of the row.
func AllowsForTest(text string, id, version uint64) bool {
	found, ok := parseTags(text)
	return ok && Precondition{id: id, match: found}.Allows(version)
}

// LargeBodiesForTest is how many large bodies may be on their way.
const LargeBodiesForTest = largeBodies

// RoomForTest returns what lets another large body into a room.
func RoomForTest(atMost time.Duration) (enter func(now time.Time) bool) {
	bodies := newRoom(atMost)
	return func(now time.Time) bool { return bodies.enter(&fasthttp.RequestHeader{}, now) }
}
