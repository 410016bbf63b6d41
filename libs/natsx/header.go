package natsx

import (
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/micro"
)

// headerTimeout carries how many milliseconds the caller waits, so that the other side does not work for nobody.
const headerTimeout = "Oms-Timeout-Ms"

// headerClient carries the member on whose behalf the caller asks (fairshare.Client).
const headerClient = "Oms-Client"

// headerRetryAfter carries how many milliseconds a refused caller is to wait.
const headerRetryAfter = "Oms-Retry-After-Ms"

// inboxPrefix begins every subject on which a caller waits for a reply.
const inboxPrefix = "_INBOX"

// parseTimeout reads headerTimeout: from 0 to maxTimeout, which is also what a value stands for that is none.
func parseTimeout(value string) time.Duration {
	wanted, err := parseMilliseconds(value)
	if err != nil {
		return maxTimeout
	}
	return min(wanted, maxTimeout)
}

// parseRetryAfter reads headerRetryAfter. A value that is none asks for no wait.
func parseRetryAfter(value string) time.Duration {
	wait, err := parseMilliseconds(value)
	if err != nil {
		return 0
	}
	return wait
}

func parseMilliseconds(value string) (time.Duration, error) {
	count, err := strconv.ParseInt(value, 10, 32)
	return time.Duration(max(0, count)) * time.Millisecond, err
}

// awaitsReply reports whether the request's reply goes to an inbox. The server lets a service publish wherever a request
// says; a caller must not choose a subject on which others would believe the service.
func awaitsReply(request micro.Request) bool { return strings.HasPrefix(request.Reply(), inboxPrefix) }
