package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"oms.internal/libs/client/api"
	"oms.internal/libs/requestid"
)

// Meta is what an answer tells beside its body.
type Meta struct {
	// ETag tells this state of a member or an order from others; it goes into If-Match and If-None-Match.
	ETag string
	// RequestID is the id under which the logs know the request.
	RequestID string
	// Degraded names what the answer had to go without, and is empty where it is whole.
	Degraded string
	// Replayed says that the answer was given before, to the first request with this Idempotency-Key.
	Replayed bool
}

// Member is a member as the caller sees it.
type Member struct {
	api.Member
	Meta `json:"-"`
}

// Order is an order.
type Order struct {
	api.Order
	Meta `json:"-"`
}

// Export is a file that is read as it comes. A read that fails has got a part of it only: export again. It must be closed.
type Export struct {
	io.ReadCloser
	Meta
}

// read decodes an answer that has a body.
func read[T any](response *http.Response, err error) (value T, meta Meta, _ error) {
	if err != nil {
		return value, meta, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified {
		return value, meta, ErrNotModified
	}
	meta = metaOf(response)
	if err := json.NewDecoder(response.Body).Decode(&value); err != nil {
		return value, meta, fmt.Errorf("the answer to request %s: %w", meta.RequestID, err)
	}
	return value, meta, nil
}

func metaOf(response *http.Response) Meta {
	return Meta{
		ETag: response.Header.Get("ETag"), RequestID: response.Header.Get(requestid.Header),
		Degraded: response.Header.Get("Degraded"), Replayed: response.Header.Get("Idempotency-Replayed") == "true",
	}
}

func memberOf(response *http.Response, err error) (*Member, error) {
	member, meta, err := read[api.Member](response, err)
	if err != nil {
		return nil, err
	}
	return &Member{Member: member, Meta: meta}, nil
}

func orderOf(response *http.Response, err error) (*Order, error) {
	order, meta, err := read[api.Order](response, err)
	if err != nil {
		return nil, err
	}
	return &Order{Order: order, Meta: meta}, nil
}

func exportOf(response *http.Response, err error) (*Export, error) {
	if err != nil {
		return nil, err
	}
	return &Export{ReadCloser: response.Body, Meta: metaOf(response)}, nil
}

// done reads an answer without a body.
func done(response *http.Response, err error) error {
	if err != nil {
		return err
	}
	return response.Body.Close()
}
