package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/httpx"
	"oms.internal/libs/natsx"
	"oms.internal/libs/service"
	"oms.internal/libs/service/servicetest"
	"oms.internal/servers/testservers"
)

func TestASignUpIsStoredAndItsTokenVerifiesAgainstThePublishedKeys(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	got := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("Sungi@x.test"))
	require.Equal(t, http.StatusCreated, got.status, got.body)
	caller := principal(t, got)
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM members WHERE id = ? AND password_hash LIKE '$argon2id$%'", caller.MemberID))
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM sessions WHERE id = ? AND member_id = ?", caller.SessionID, caller.MemberID))

	response, err := http.Get("http://" + p.HTTP.String() + "/.well-known/jwks.json") // without a principal
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "application/jwk-set+json", response.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=60", response.Header.Get("Cache-Control"))
	var set struct{ Keys []struct{ Kid, X string } }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&set))
	require.Len(t, set.Keys, 1)
	key, err := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	require.NoError(t, err)
	parsed, err := jwt.Parse(decode[struct{ Token string }](t, got.body).Token, func(*jwt.Token) (any, error) { return ed25519.PublicKey(key), nil },
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer("oms"), jwt.WithAudience("oms"), jwt.WithExpirationRequired())
	require.NoError(t, err)
	require.Equal(t, set.Keys[0].Kid, parsed.Header["kid"])

	adminPort := &process{p.surroundings, &servicetest.Process{Addresses: service.Addresses{HTTP: p.Admin}}}
	metrics := adminPort.do(t, anonymous, http.MethodGet, "/metrics", "")
	require.Contains(t, metrics.body, `http_request_duration_seconds_count{method="POST",route="/accounts/users",status="201"} 1`)
	for _, host := range p.cfg.MySQLHosts {
		require.Contains(t, metrics.body, fmt.Sprintf(`go_sql_open_connections{db_name=%q}`, host))
	}
	for _, shared := range []string{"arriving", "password_hash", "slow_read", "streams"} {
		require.Contains(t, metrics.body, fmt.Sprintf(`fairshare_refusals_total{reason="share",resource=%q} 0`, shared))
	}
}

func TestARefusedLoginIsAnsweredAtOnceAndHeldBackByTheGateway(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	require.Eventually(t, func() bool { // a busy machine may need all of the second for a hash
		refused := p.logIn(t, "nobody@x.test", secret+"0")
		require.Contains(t, []int{http.StatusBadRequest, http.StatusTooManyRequests}, refused.status, refused.body)
		pause, err := time.ParseDuration(refused.header.Get(httpx.HeaderPause))
		return err == nil && pause > 0 && pause <= time.Second
	}, patience, servicetest.Poll)
}

func TestALogoutTellsTheGatewayThatAsksAllOthersAndWhoeverPulls(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	caller := p.signUp(t, "a@x.test")
	second := principal(t, p.logIn(t, "A@x.test", secret))
	gateways := p.listen(t, accounts.SubjectRevoked)
	got := p.do(t, caller, http.MethodPost, "/auth/logout", "")
	require.Equal(t, http.StatusNoContent, got.status, got.body)
	told := next[accounts.Revocations](t, gateways)
	require.Len(t, told.Revocations, 1)
	until := told.Revocations[0].Until
	require.Equal(t, []accounts.Revocation{{Sequence: 1, SessionID: caller.SessionID, Until: until}}, told.Revocations)
	require.Greater(t, until, time.Now().Add(p.cfg.TokenLifetime-patience))
	require.Equal(t, told, decode[accounts.Revocations](t, got.header.Get(accounts.HeaderRevocations)))
	for after, want := range map[string][]accounts.Revocation{"0": told.Revocations, "1": {}} {
		pulled := p.do(t, anonymous, http.MethodGet, accounts.PathRevocations+"?after="+after, "")
		require.Equal(t, accounts.Revocations{Revocations: want, Latest: 1}, decode[accounts.Revocations](t, pulled.body))
	}
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NOT NULL"))
	require.Equal(t, http.StatusOK, p.do(t, second, http.MethodGet, "/auth/sessions", "").status)
}

func TestAWriteTellsTheCallerTheGatewayAndAllOtherGateways(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	heard := p.listen(t, consistency.SubjectWritten)
	tell := func(got answer, members ...uint64) {
		t.Helper()
		require.Less(t, got.status, 300, "%s", got.body)
		token := consistency.Parse(got.header.Get(consistency.Header))
		require.NotZero(t, token)
		require.Equal(t, consistency.Written{MemberIDs: members, Token: token}, next[consistency.Written](t, heard))
	}
	signedUp := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("sungi@x.test"))
	member := principal(t, signedUp)
	id := member.MemberID
	tell(signedUp, id)
	login := p.logIn(t, "sungi@x.test", secret)
	tell(login, id)
	for _, got := range []answer{signedUp, login} {
		require.Equal(t, fmt.Sprint(id), got.header.Get("Oms-Told"))
	}
	tell(p.do(t, member, http.MethodPatch, userPath(id), `{"nickname":"other"}`), id)
	read := p.do(t, member, http.MethodGet, userPath(id), "")
	require.Empty(t, read.header.Get(consistency.Header), "a read tells of no write")

	_, err := p.makeAdmin(t, secret, "admin@x.test")
	require.NoError(t, err)
	login = p.logIn(t, "admin@x.test", secret)
	operator := principal(t, login)
	tell(login, operator.MemberID)
	tell(p.do(t, operator, http.MethodPatch, userPath(id), `{"nickname":"third"}`), operator.MemberID, id)
	refused := p.do(t, member, http.MethodPatch, userPath(id), `{"nickname":"old"}`, "If-Match", read.header.Get("Etag"))
	require.Equal(t, http.StatusPreconditionFailed, refused.status)
	require.NotEmpty(t, refused.header.Get(consistency.Header), "it says that there is something newer to be seen")
	next[consistency.Written](t, heard)
	tell(p.do(t, operator, http.MethodDelete, userPath(id), ""), operator.MemberID, id)
}

// With a row that only the primary has changed, an answer shows which server gave it.
func TestAReadSeesWhatItsTokenOrThisProcessKnowsOf(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	p := s.start(t)
	caller := p.signUp(t, "sungi@x.test")
	path := userPath(caller.MemberID)
	elsewhere := p.start(t) // which knows nothing of the sign-up
	s.onPrimaryAlone(t, "UPDATE members SET nickname = 'newer' WHERE id = ?", caller.MemberID)
	nickname := func(instance *process, headers ...string) string {
		got := instance.do(t, caller, http.MethodGet, path, "", headers...)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		return decode[struct{ Nickname string }](t, got.body).Nickname
	}
	require.Eventually(t, func() bool { return nickname(elsewhere) == "sungi" }, patience, servicetest.Poll,
		"a read without a token never went to the replica")
	for range 20 {
		require.Equal(t, "newer", nickname(elsewhere, consistency.Header, consistency.Newest.String()))
	}
	// A write of the caller's is remembered where it was made, and told by its answer everywhere.
	got := p.do(t, caller, http.MethodPatch, path, `{"phone":"0219999"}`)
	require.Equal(t, "newer", nickname(p))
	require.Equal(t, "newer", nickname(elsewhere, consistency.Header, got.header.Get(consistency.Header)))
}

// onPrimaryAlone executes a statement whose change never reaches the replica.
func (s *surroundings) onPrimaryAlone(t *testing.T, statement string, args ...any) {
	t.Helper()
	root, err := s.Pair.Primary.Open("root", s.Pair.RootPassword, s.Schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	session, err := root.Conn(t.Context())
	require.NoError(t, err)
	_, err = session.ExecContext(t.Context(), "SET SESSION sql_log_bin = 0")
	require.NoError(t, err)
	_, err = session.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

func TestOtherServicesAskOverNATSAndAreAsked(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	caller := p.signUp(t, "a@x.test")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reply, err := natsx.Call[accounts.ExistsReply](ctx, p.conn, accounts.SubjectExists, accounts.ExistsRequest{MemberID: caller.MemberID})
	require.NoError(t, err)
	require.Equal(t, accounts.ExistsReply{Exists: true, Active: true}, reply)

	asked := make(chan orders.LastRequest, 2)
	testservers.Run(t, func(ctx context.Context) error {
		return natsx.Serve(ctx, p.conn, orders.Service, discard, natsx.NewEndpoint("last", orders.SubjectLast,
			func(_ context.Context, request orders.LastRequest) (orders.LastReply, error) {
				asked <- request
				return orders.LastReply{}, nil
			}))
	})
	token := consistency.Token(time.Now().Add(time.Minute).UnixMicro())
	require.Eventually(t, func() bool {
		got := p.do(t, caller, http.MethodGet, userPath(caller.MemberID), "", consistency.Header, token.String())
		return got.header.Get("Degraded") == "" // until it is served
	}, patience, servicetest.Poll)
	require.Equal(t, orders.LastRequest{CustomerIDs: []uint64{caller.MemberID}, After: uint64(token)}, <-asked)
	wrote := p.do(t, caller, http.MethodPatch, userPath(caller.MemberID), `{"nickname":"other"}`)
	require.GreaterOrEqual(t, consistency.Token((<-asked).After), consistency.Parse(wrote.header.Get(consistency.Header)),
		"the answer to a write shows orders of before it")
}

func TestEveryChangeOfAMemberIsPublishedAlsoOnceNATSIsBack(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	stream, err := jetstream.New(p.conn)
	require.NoError(t, err)
	caller := p.signUp(t, "sungi@x.test")
	path := userPath(caller.MemberID)
	change := func(caller authn.Principal, phone string) {
		got := p.do(t, caller, http.MethodPatch, path, fmt.Sprintf(`{"phone":%q}`, phone))
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		require.NotEmpty(t, got.header.Get(consistency.Header))
	}
	change(caller, "0212341")
	published := func() int { return p.number(t, "SELECT COUNT(*) FROM outbox WHERE published_at IS NOT NULL") }
	require.Eventually(t, func() bool { return published() == 2 }, patience, servicetest.Poll)
	require.NoError(t, p.Broker.Stop(t.Context()))
	change(caller, "0212342")
	change(caller, "0212343")
	require.Equal(t, 2, published())
	require.NoError(t, p.Broker.Restart(t.Context()))
	require.Equal(t, http.StatusNoContent, p.do(t, caller, http.MethodDelete, path, "").status)

	var consumer jetstream.Consumer
	require.Eventually(t, func() bool {
		consumer, err = stream.CreateOrUpdateConsumer(t.Context(), "OMS_EVENTS", jetstream.ConsumerConfig{FilterSubject: "oms.events.accounts.>"})
		return err == nil
	}, patience, servicetest.Poll)
	for i, kind := range []string{"created", "changed", "changed", "changed", "deleted"} {
		message, err := consumer.Next(jetstream.FetchMaxWait(patience))
		require.NoError(t, err)
		require.NoError(t, message.Ack())
		require.Equal(t, "oms.events.accounts."+kind+".v1", message.Subject())
		event := decode[struct {
			ID, Subject string
			Data        accounts.EventData
		}](t, string(message.Data()))
		require.Equal(t, event.ID, message.Headers().Get("Nats-Msg-Id"))
		require.Equal(t, fmt.Sprint(caller.MemberID), event.Subject)
		require.Equal(t, accounts.EventData{MemberID: caller.MemberID, Version: uint64(i + 1), Active: true}, event.Data)
	}
}
