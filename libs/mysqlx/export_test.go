package mysqlx

// ErrNotLookedAt tells tests that the first look at a server is still under way.
var ErrNotLookedAt = errNotLookedAt
