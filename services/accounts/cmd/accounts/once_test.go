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

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
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

func TestASignUpWhoseAnswerWasLostIsNotDoneTwice(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	request := p.keyed(t, "lost", signUpBody("sungi@x.test"))
	var content bytes.Buffer
	require.NoError(t, request.Write(&content))
	conn, err := net.Dial("tcp", p.HTTP.String())
	require.NoError(t, err)
	_, err = conn.Write(content.Bytes())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return p.number(t, "SELECT COUNT(*) FROM idempotency_keys") == 1 }, time.Minute, 5*time.Millisecond)

	again := p.signUpOnce(t, "lost", signUpBody("sungi@x.test"))
	require.Equal(t, http.StatusCreated, again.status, "%s", again.body)
	require.Equal(t, "true", again.header.Get(httpx.HeaderIdempotencyReplayed))
	p.requireOne(t)
	caller := principal(t, again)
	require.Equal(t, http.StatusOK, p.do(t, caller, http.MethodGet, userPath(caller.MemberID), "").status)
}

func TestSignUpsWithOneKeyAtTheSameMomentAreOne(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	instances := []*process{p, p.start(t)}
	const crowd = 8
	answers, failures := make([]answer, crowd), make(chan error, crowd)
	for i := range crowd {
		request := instances[i%2].keyed(t, "crowd", signUpBody("sungi@x.test"))
		go func() {
			var err error
			answers[i], err = answerTo(request)
			failures <- err
		}()
	}
	for range crowd {
		require.NoError(t, <-failures)
	}
	last := p.signUpOnce(t, "crowd", signUpBody("sungi@x.test"))
	require.Equal(t, "true", last.header.Get(httpx.HeaderIdempotencyReplayed))
	done := 0
	for _, got := range answers {
		if got.status == http.StatusConflict { // its twin was being done
			got.problem(t)
			continue
		}
		require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
		require.Equal(t, last.body, got.body)
		if got.header.Get(httpx.HeaderIdempotencyReplayed) == "" {
			done++
		}
	}
	require.Equal(t, 1, done)
	p.requireOne(t)
}

func TestAKeyOfAnotherSignUpTellsNothingOfIt(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	require.Equal(t, http.StatusCreated, p.signUpOnce(t, "key", signUpBody("sungi@x.test")).status)
	for _, body := range []string{
		signUpBody("other@x.test"), strings.Replace(signUpBody("sungi@x.test"), secret, secret+"1", 1),
		strings.Replace(signUpBody("sungi@x.test"), "0108", "0109", 1),
	} {
		got := p.signUpOnce(t, "key", body)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s", got.body)
		require.Len(t, got.problem(t), 4)
		require.NotContains(t, got.body, "sungi")
		require.Empty(t, got.header.Get(httpx.HeaderIdempotencyReplayed))
	}
	p.requireOne(t)
	require.Equal(t, 3, p.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'sign_up' AND outcome = 'failure'"))
	for _, key := range []string{"with blank", "ü", strings.Repeat("k", 256)} {
		require.Equal(t, http.StatusBadRequest, p.signUpOnce(t, key, signUpBody("b@x.test")).status, key)
	}
	refused := p.signUpOnce(t, "new", signUpBody("sungi@x.test"))
	require.Equal(t, http.StatusBadRequest, refused.status, "a new key does not make an email free: %s", refused.body)
}

func TestPasswordsCannotBeTriedWithTheKeyOfASignUp(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	require.Equal(t, http.StatusCreated, p.signUpOnce(t, "key", signUpBody("sungi@x.test")).status)
	guess := func(password string) int {
		request := p.keyed(t, "key", strings.Replace(signUpBody("sungi@x.test"), secret, password, 1))
		request.Header.Set(assertion.Header, p.sign(t, authn.Principal{Address: "192.0.2.1"}))
		got, err := answerTo(request)
		require.NoError(t, err)
		return got.status
	}
	for i := range 5 {
		require.Equal(t, http.StatusUnprocessableEntity, guess(fmt.Sprintf("Wrong'pwd%d0", i)))
	}
	require.Equal(t, http.StatusTooManyRequests, guess("Wrong'pwd90"))
	require.Equal(t, http.StatusTooManyRequests, guess(secret), "the right one must look like any other")
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
