package revocation

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
)

// maxReply bounds a reply, in bytes: accounts.MaxRevocations take about 200 KiB.
const maxReply = 4 << 20

// Ask asks accounts for the revocations after a number.
type Ask func(ctx context.Context, after uint64) (accounts.Revocations, error)

// OverHTTP asks accounts at base (scheme and host) in the gateway's own name.
func OverHTTP(client *http.Client, base string, signer *assertion.Signer) Ask {
	return func(ctx context.Context, after uint64) (accounts.Revocations, error) {
		reply, err := askHTTP(ctx, client, base, signer, after)
		if err != nil {
			return reply, fmt.Errorf("ask %s: %w", accounts.PathRevocations, err)
		}
		return reply, nil
	}
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
