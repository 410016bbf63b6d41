package token

import (
	"strings"

	"oms.internal/libs/fault"
)

// The messages of Django REST Framework and knox, which clients may compare.
const (
	messageMissing = "Authentication credentials were not provided."
	messageEmpty   = "Invalid token header. No credentials provided."
	messageSpaces  = "Invalid token header. Token string should not contain spaces."
	messageInvalid = "Invalid token."
)

// fromHeader returns the token in the values of the Authorization header: "Token x" or "Bearer x", the scheme in any
// case. Several headers are read as one that is joined by commas, as WSGI hands them to Django.
func fromHeader(values []string) (string, error) {
	parts := strings.Fields(strings.Join(values, ","))
	if len(parts) == 0 || !isScheme(parts[0]) {
		return "", unauthenticated(messageMissing, nil)
	}
	switch len(parts) {
	case 1:
		return "", unauthenticated(messageEmpty, nil)
	case 2:
		return parts[1], nil
	default:
		return "", unauthenticated(messageSpaces, nil)
	}
}

func isScheme(word string) bool {
	return strings.EqualFold(word, "Token") || strings.EqualFold(word, "Bearer")
}

func unauthenticated(message string, cause error) error {
	return fault.New(fault.Unauthenticated, message, cause).WithHeader("WWW-Authenticate", "Token")
}
