package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"oms.internal/libs/fault"
	"oms.internal/libs/requestid"
)

// ErrNotModified is what a read with If-None-Match gives when the thing is still what the tag says.
var ErrNotModified = errors.New("not modified")

// Error is a refusal of the gateway. Decide by its code, not by its texts.
type Error struct {
	// Code is one of package fault, or empty where something between the client and the gateway answered.
	Code   fault.Code
	Status int
	// Detail is one sentence for people.
	Detail string
	// Fields has messages for each refused field; non_field_errors stands for the whole input.
	Fields map[string][]string
	// RequestID is the id under which the logs know the request.
	RequestID string
	// RetryAfter is how long to wait before repeating the call; zero where that does not apply.
	RetryAfter time.Duration
}

func (e *Error) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d %s: %s", e.Status, e.Code, e.Detail)
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		fmt.Fprintf(&text, " %s: %s", name, strings.Join(e.Fields[name], " "))
	}
	if e.RequestID != "" {
		fmt.Fprintf(&text, " (request %s)", e.RequestID)
	}
	return text.String()
}

// problemType stands before the code in the type of a problem.
const problemType = "urn:oms:fault:"

// codeOf is the code of a refusal, and empty for other errors.
func codeOf(err error) fault.Code {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Code
	}
	return ""
}

// errorOf reads a refusal.
func errorOf(response *http.Response, content []byte) *Error {
	refusal := &Error{Status: response.StatusCode, RequestID: response.Header.Get(requestid.Header)}
	if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 31); err == nil {
		refusal.RetryAfter = time.Duration(seconds) * time.Second
	}
	var members map[string]json.RawMessage
	var problem struct{ Type, Detail string }
	if json.Unmarshal(content, &problem) != nil || json.Unmarshal(content, &members) != nil || !strings.HasPrefix(problem.Type, problemType) {
		refusal.Detail = http.StatusText(response.StatusCode)
		return refusal
	}
	refusal.Code, refusal.Detail = fault.Code(strings.TrimPrefix(problem.Type, problemType)), problem.Detail
	for name, member := range members {
		var messages []string
		if json.Unmarshal(member, &messages) == nil && len(messages) > 0 {
			if refusal.Fields == nil {
				refusal.Fields = map[string][]string{}
			}
			refusal.Fields[name] = messages
		}
	}
	return refusal
}
