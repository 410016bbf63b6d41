package revocation

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
)

// maxReply bounds a reply over HTTP, in bytes: MaxRevocations take about 1 MiB.
const maxReply = 4 << 20

// Source is a way to ask accounts for the revocations after a number.
type Source struct {
	// Name is how logs and metrics call it.
	Name string
	// Timeout is how long a reply is waited for while all goes well.
	Timeout time.Duration
	Ask     func(ctx context.Context, after uint64) (accounts.Revocations, error)
}

// OverNATS asks over a connection. Where that does not stand, it fails at once.
func OverNATS(conn *nats.Conn) Source {
	ask := func(ctx context.Context, after uint64) (accounts.Revocations, error) {
		return natsx.Call[accounts.Revocations](ctx, conn, accounts.SubjectRevocations, accounts.RevocationsRequest{After: after})
	}
	return Source{Name: "nats", Timeout: 200 * time.Millisecond, Ask: ask}
}

// OverHTTP asks accounts at base (scheme and host) in the gateway's own name.
func OverHTTP(client *http.Client, base string, signer *assertion.Signer) Source {
	ask := func(ctx context.Context, after uint64) (accounts.Revocations, error) {
		reply, err := askHTTP(ctx, client, base, signer, after)
		if err != nil {
			return reply, fmt.Errorf("ask %s: %w", accounts.PathRevocations, err)
		}
		return reply, nil
	}
	return Source{Name: "http", Timeout: 500 * time.Millisecond, Ask: ask}
}

func askHTTP(ctx context.Context, client *http.Client, base string, signer *assertion.Signer, after uint64) (accounts.Revocations, error) {
	var reply accounts.Revocations
	target := base + accounts.PathRevocations + "?after=" + strconv.FormatUint(after, 10)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return reply, err
	}
	signed, err := signer.Sign(authn.Principal{}, accounts.Service)
	if err != nil {
		return reply, err
	}
	request.Header.Set(assertion.Header, signed)
	answer, err := client.Do(request)
	if err != nil {
		return reply, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return reply, fmt.Errorf("status %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxReply))
	if err != nil {
		return reply, err
	}
	return reply, json.Unmarshal(body, &reply)
}
