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
	"oms.internal/libs/httpx"
	"oms.internal/libs/idempotency"
)

// keyed is a sign-up with a key.
func (p *process) keyed(t *testing.T, key, body string) *http.Request {
	t.Helper()
	request := p.request(t, p.sign(t, anonymous), http.MethodPost, "/accounts/users", mediaType, body)
	request.Header.Set(httpx.HeaderIdempotencyKey, key)
	return request
}

// signUpOnce signs up with a key.
func (p *process) signUpOnce(t *testing.T, key, body string) answer {
	t.Helper()
	got, err := answerTo(p.keyed(t, key, body))
	require.NoError(t, err)
	return got
}

// requireOne checks that there is one member with one session.
func (s *surroundings) requireOne(t *testing.T) {
	t.Helper()
	for _, table := range []string{"members", "sessions", "refresh_tokens", "idempotency_keys", "outbox"} {
		require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM "+table), table)
	}
}

func TestASignUpWithItsKeyAgainIsAnsweredAsBeforeByEveryInstance(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	second := p.start(t)
	first := p.signUpOnce(t, "key-1", signUpBody("sungi@x.test"))
	require.Equal(t, http.StatusCreated, first.status, "%s", first.body)
	require.Empty(t, first.header.Get(httpx.HeaderIdempotencyReplayed))
	for _, instance := range []*process{p, second, p} {
		again := instance.signUpOnce(t, "key-1", signUpBody("sungi@x.test"))
		require.Equal(t, http.StatusCreated, again.status, "%s", again.body)
		require.Equal(t, "true", again.header.Get(httpx.HeaderIdempotencyReplayed))
		require.Equal(t, first.body, again.body)
		for _, name := range []string{"Location", "Etag", "Cache-Control", "Content-Type"} {
			require.NotEmpty(t, first.header.Get(name), name)
			require.Equal(t, first.header.Get(name), again.header.Get(name), name)
		}
		require.NotEmpty(t, again.header.Get("Consistency-Token"), "what it tells must be seen from then on")
		require.Equal(t, fmt.Sprint(principal(t, first).MemberID), again.header.Get("Oms-Told"))
	}
	p.requireOne(t)
	refresh := fmt.Sprintf(`{"refresh_token":%q}`, first.object(t)["refresh_token"])
	require.Equal(t, http.StatusOK, second.do(t, anonymous, http.MethodPost, "/auth/refresh", refresh).status)
}

func TestWhatIsKeptOfASignUpShowsNeitherPasswordNorTokens(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	body := signUpBody("sungi@x.test")
	got := p.signUpOnce(t, "key", body)
	require.Equal(t, http.StatusCreated, got.status)
	var digest, fingerprint, kept []byte
	require.NoError(t, p.db.QueryRowContext(t.Context(), "SELECT key_digest, fingerprint, answer FROM idempotency_keys").
		Scan(&digest, &fingerprint, &kept))
	row := bytes.Join([][]byte{digest, fingerprint, kept}, nil)
	object := got.object(t)
	for _, hidden := range []string{secret, object["token"].(string), object["refresh_token"].(string), "sungi", "김선기", "01083574364"} {
		require.False(t, bytes.Contains(row, []byte(hidden)), hidden)
	}
	plain := func(parts ...string) []byte {
		var contents [][]byte
		for _, part := range parts {
			contents = append(contents, []byte(part))
		}
		digest := idempotency.Fingerprint(contents...)
		return digest[:]
	}
	for _, guess := range [][]byte{
		plain(body), plain("sign-up", "key", "sungi@x.test", "김선기", "sungi", "01083574364", "", secret),
	} {
		require.NotEqual(t, guess, fingerprint, "without the secret the fingerprint can be computed")
	}

	// A thief of the rows who makes a process of its own needs the secret, too.
	p.cfg.IdempotencySecret = config.Secret(strings.Repeat("other", 10))
	thief := p.start(t)
	require.Equal(t, http.StatusUnprocessableEntity, thief.signUpOnce(t, "key", body).status)
}

func TestASignUpWithAKeyIsOneWhileItsAnswersAreCutAtRandom(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	const members, cuts = 6, 5
	signed := p.sign(t, anonymous)
	failures := make(chan error, members)
	for i := range members {
		again := func() *http.Request {
			request := p.request(t, signed, http.MethodPost, "/accounts/users", mediaType, signUpBody(fmt.Sprintf("m%d@x.test", i)))
			request.Header.Set(httpx.HeaderIdempotencyKey, fmt.Sprint("cut-", i))
			return request
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
