package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
	"oms.internal/libs/consistency"
	"oms.internal/libs/httpx"
)

func TestASignUpWithItsKeyAgainIsAnsweredAsBeforeByEveryInstanceWithTheSecret(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	second := p.start(t)
	signUp := func(instance *process) answer {
		return instance.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("sungi@x.test"), httpx.HeaderIdempotencyKey, "key")
	}
	first := signUp(p)
	require.Equal(t, http.StatusCreated, first.status, first.body)
	for _, instance := range []*process{p, second} {
		again := signUp(instance)
		require.Equal(t, http.StatusCreated, again.status, again.body)
		require.Equal(t, "true", again.header.Get(httpx.HeaderIdempotencyReplayed))
		require.Equal(t, first.body, again.body)
		require.NotEmpty(t, again.header.Get(consistency.Header), "what it tells must be seen from then on")
		require.Equal(t, fmt.Sprint(principal(t, first).MemberID), again.header.Get("Oms-Told"))
	}
	for _, table := range []string{"members", "sessions", "refresh_tokens", "idempotency_keys", "outbox"} {
		require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM "+table), table)
	}
	refresh := fmt.Sprintf(`{"refresh_token":%q}`, decode[map[string]any](t, first.body)["refresh_token"])
	require.Equal(t, http.StatusOK, second.do(t, anonymous, http.MethodPost, "/auth/refresh", refresh).status)

	// A thief of the rows who makes a process of its own needs the secret, too.
	p.cfg.IdempotencySecret = config.Secret(strings.Repeat("other", 10))
	require.Equal(t, http.StatusUnprocessableEntity, signUp(p.start(t)).status)
}

func TestASignUpWithAKeyIsOneWhileItsAnswersAreCutAtRandom(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	const members, cuts = 6, 5
	failures := make(chan error, members)
	for i := range members {
		body, key := signUpBody(fmt.Sprintf("m%d@x.test", i)), fmt.Sprint("cut-", i)
		again := func() *http.Request {
			return p.request(t, anonymous, http.MethodPost, "/accounts/users", body, httpx.HeaderIdempotencyKey, key)
		}
		go func() {
			for range cuts {
				if err := p.cut(again(), rand.N(40*time.Millisecond)); err != nil {
					failures <- err
					return
				}
			}
			failures <- persist(again)
		}()
	}
	for range members {
		require.NoError(t, <-failures)
	}
	require.Equal(t, members, p.number(t, "SELECT COUNT(*) FROM members"))
	require.Equal(t, members, p.number(t, "SELECT COUNT(*) FROM sessions"))
	require.Equal(t, members, p.number(t, "SELECT COUNT(*) FROM outbox"))
}

// cut sends a request and gives up when nothing has come for so long, whether the request was done by then or not.
func (p *process) cut(request *http.Request, patience time.Duration) error {
	var content bytes.Buffer
	if err := request.Write(&content); err != nil {
		return err
	}
	conn, err := net.Dial("tcp", p.HTTP.String())
	if err != nil {
		return err
	}
	_, err = conn.Write(content.Bytes())
	err = errors.Join(err, conn.SetReadDeadline(time.Now().Add(patience)))
	_, _ = conn.Read(make([]byte, 1))
	return errors.Join(err, conn.Close())
}

// persist sends a request again while it is told to come again, as clients do.
func persist(again func() *http.Request) error {
	for began := time.Now(); ; {
		got, err := answerTo(again())
		if err != nil || got.status == http.StatusCreated {
			return err
		}
		later := got.status == http.StatusConflict || got.status >= http.StatusInternalServerError
		if !later || time.Since(began) > time.Minute {
			return fmt.Errorf("%d: %s", got.status, got.body)
		}
	}
}
