package httpx

// ReadableForTest reports whether text is a list of entity tags.
func ReadableForTest(text string) bool {
	_, ok := parseTags(text)
	return ok
}

// AllowsForTest reports whether If-Match with this text allows a change of the version.
func AllowsForTest(text string, version uint64) bool {
	found, ok := parseTags(text)
	return ok && Precondition{match: found}.Allows(version)
}
