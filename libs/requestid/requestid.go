// Package requestid carries one identifier of a client's request through every process that works on it: the gateway
// makes it, HTTP and NATS headers hand it on, and every log line of the request bears it.
package requestid

import (
	"context"
	"crypto/rand"
)

// Header is the name under which the identifier travels in HTTP and NATS headers.
const Header = "X-Request-Id"

const maxLength = 64

type key struct{}

// New returns a fresh identifier: 26 characters, 128 random bits.
func New() string { return rand.Text() }

// Into returns a context that carries the identifier.
func Into(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// From returns the identifier in ctx, or "" where there is none.
func From(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}

// Valid reports whether a received identifier may be used as it is: 1 to 64 letters, digits, '-' or '_'. Anything else
// could forge log lines or headers.
func Valid(id string) bool {
	if id == "" || len(id) > maxLength {
		return false
	}
	for _, char := range []byte(id) {
		letter := 'a' <= char && char <= 'z' || 'A' <= char && char <= 'Z'
		digit := '0' <= char && char <= '9'
		if !letter && !digit && char != '-' && char != '_' {
			return false
		}
	}
	return true
}
