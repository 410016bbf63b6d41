package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"oms.internal/deploy/bench/internal/load"
)

// request is one for the gateway.
type request struct {
	method, path, token, key string
	body                     any
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// client has a connection for each of many workers.
var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 200}}

func (s *system) send(ctx context.Context, r request) (answer, error) {
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return answer{}, err
		}
		body = bytes.NewReader(encoded)
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, s.url+r.path, body)
	if err != nil {
		return answer{}, err
	}
	if r.body != nil {
		sent.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		sent.Header.Set("Authorization", "Token "+r.token)
	}
	if r.key != "" {
		sent.Header.Set("Idempotency-Key", r.key)
	}
	response, err := client.Do(sent)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, content}, err
}

// demand sends a request whose answer must have a status, and decodes the answer. One that goes without a part of what was asked for does
// not count.
func (s *system) demand(ctx context.Context, r request, status int, into any) (answer, error) {
	got, err := s.send(ctx, r)
	if err != nil {
		return got, err
	}
	if got.status != status {
		return got, fmt.Errorf("%s %s: %d %.100s", r.method, r.path, got.status, got.body)
	}
	if part := got.header.Get(headerPartial); part != "" {
		return got, fmt.Errorf("%s %s: %w %s", r.method, r.path, load.ErrPartial, part)
	}
	if into == nil {
		return got, nil
	}
	return got, json.Unmarshal(got.body, into)
}

// page is what is looked at in a list.
type page struct {
	Count   int
	Results []struct {
		ID        uint64
		LastOrder *struct{ ID uint64 } `json:"last_order"`
	}
}

// list asks for a page that must have so many rows.
func (s *system) list(ctx context.Context, token, path string, rows int) (page, error) {
	var got page
	_, err := s.demand(ctx, request{method: http.MethodGet, path: path, token: token}, http.StatusOK, &got)
	if err == nil && len(got.Results) != rows {
		err = fmt.Errorf("GET %s: %d rows instead of %d", path, len(got.Results), rows)
	}
	return got, err
}

// headerPartial names what an answer lacks that goes without a part of what was asked for.
const headerPartial = "Degraded"

// fast measures a GET with wrk, whose answers are too many for a client in Go beside the system. wrk looks at each status; the first answer
// is looked at here.
func (b *bench) fast(path string, connections, rows int, tokens ...string) measure {
	return func(ctx context.Context) (float64, error) {
		measured, err := b.wrk(ctx, path, connections, rows, tokens...)
		return measured.Rate, err
	}
}

func (b *bench) wrk(ctx context.Context, path string, connections, rows int, tokens ...string) (load.Measured, error) {
	var requests []load.Request
	for _, token := range tokens {
		if _, err := b.list(ctx, token, path, rows); err != nil {
			return load.Measured{}, err
		}
		requests = append(requests, load.Request{Path: path, Token: token})
	}
	return load.WRK(ctx, b.url, connections, b.lasting, requests, "")
}

// loop measures something that workers do one after the other.
func (b *bench) loop(workers int, do func(ctx context.Context, worker, turn int) error) measure {
	return func(ctx context.Context) (float64, error) { return load.Loop(ctx, workers, b.lasting, do) }
}
