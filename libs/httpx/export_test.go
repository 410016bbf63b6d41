package httpx

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

// ArrivingBytesForTest is what requests that arrive share.
const ArrivingBytesForTest = arrivingBytes
