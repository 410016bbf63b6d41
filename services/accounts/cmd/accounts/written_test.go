package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
)

// written is the next message about a write.
func written(t *testing.T, heard *nats.Subscription) consistency.Written {
	t.Helper()
	message, err := heard.NextMsg(10 * time.Second)
	require.NoError(t, err)
	var content consistency.Written
	require.NoError(t, json.Unmarshal(message.Data, &content))
	return content
}

func TestAWriteTellsTheCallerTheGatewayAndAllOtherGateways(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	heard := p.listen(t, consistency.SubjectWritten)
	tell := func(got answer, members ...uint64) {
		t.Helper()
		require.Less(t, got.status, 300, "%s", got.body)
		token := consistency.Parse(got.header.Get(consistency.Header))
		require.Greater(t, token, consistency.Token(time.Now().Add(-time.Minute).UnixMicro()))
		require.Less(t, token, consistency.Token(time.Now().Add(time.Minute).UnixMicro()))
		require.Equal(t, consistency.Written{MemberIDs: members, Token: token}, written(t, heard))
	}
	signedUp := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("sungi@x.test"))
	member := principal(t, signedUp)
	id := member.MemberID
	tell(signedUp, id)
	require.Equal(t, fmt.Sprint(id), signedUp.header.Get("Oms-Told"))
	login := p.do(t, anonymous, http.MethodPost, "/auth/login", fmt.Sprintf(`{"email":"sungi@x.test","password":%q}`, secret))
	tell(login, id)
	require.Equal(t, fmt.Sprint(id), login.header.Get("Oms-Told"))
	tell(p.do(t, member, http.MethodPatch, userPath(id), `{"nickname":"other"}`), id)
	read := p.do(t, member, http.MethodGet, userPath(id), "")
	require.Empty(t, read.header.Get(consistency.Header), "a read tells of no write")

	operator := p.signUp(t, "admin@x.test")
	written(t, heard)
	_, err := p.db.ExecContext(t.Context(), "UPDATE members SET is_admin = TRUE WHERE id = ?", operator.MemberID)
	require.NoError(t, err)
	operator.Admin = true
	tell(p.do(t, operator, http.MethodPatch, userPath(id), `{"nickname":"third"}`), operator.MemberID, id)
	refused := p.conditional(t, member, http.MethodPatch, userPath(id), `{"nickname":"old"}`, "If-Match", tag(t, read))
	require.Equal(t, http.StatusPreconditionFailed, refused.status)
	require.NotEmpty(t, refused.header.Get(consistency.Header), "it says that there is something newer to be seen")
	written(t, heard)
	tell(p.do(t, operator, http.MethodDelete, userPath(id), ""), operator.MemberID, id)
}

// With a row that only the primary has changed, an answer shows which server gave it.
func TestAReadSeesWhatItsTokenOrThisProcessKnowsOf(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.serveLastOrders(t, func(uint64) bool { return false })
	p := s.start(t)
	caller := p.signUp(t, "sungi@x.test")
	path := userPath(caller.MemberID)
	elsewhere := p.start(t) // which knows nothing of the sign-up
	p.onPrimaryAlone(t, "UPDATE members SET nickname = 'newer' WHERE id = ?", caller.MemberID)
	nickname := func(instance *process, token string) any {
		request := instance.request(t, instance.sign(t, caller), http.MethodGet, path, "", "")
		if token != "" {
			request.Header.Set(consistency.Header, token)
		}
		got, err := answerTo(request)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		return got.object(t)["nickname"]
	}
	require.Eventually(t, func() bool { return nickname(elsewhere, "") == "sungi" }, time.Minute, 5*time.Millisecond,
		"a read without a token never went to the replica")
	for range 20 {
		require.Equal(t, "newer", nickname(elsewhere, consistency.Newest.String()))
	}
	// A write of the caller's is remembered where it was made, and told by its answer everywhere.
	got := p.do(t, caller, http.MethodPatch, path, `{"phone":"0219999"}`)
	require.Equal(t, "newer", nickname(p, ""))
	require.Equal(t, "newer", nickname(elsewhere, got.header.Get(consistency.Header)))
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

func TestOwnReadsAreNeverOlderThanTheLastWriteWhereverTheyGo(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.serveLastOrders(t, func(uint64) bool { return false })
	instances := []*process{s.start(t), s.start(t)}
	caller := instances[0].signUp(t, "sungi@x.test")
	path := userPath(caller.MemberID)
	for i := range 60 {
		phone := fmt.Sprintf("02%08d", i)
		wrote := instances[i%2].do(t, caller, http.MethodPatch, path, fmt.Sprintf(`{"phone":%q}`, phone))
		require.Equal(t, http.StatusOK, wrote.status, "%s", wrote.body)
		read := instances[(i+1)%2].conditional(t, caller, http.MethodGet, path, "", consistency.Header, wrote.header.Get(consistency.Header))
		require.Equal(t, phone, read.object(t)["phone"])
		require.Equal(t, phone, instances[i%2].do(t, caller, http.MethodGet, path, "").object(t)["phone"])
		list := instances[(i+1)%2].conditional(t, caller, http.MethodGet, "/accounts/users", "", consistency.Header, wrote.header.Get(consistency.Header))
		require.Contains(t, list.body, phone)
	}
}

func TestLastOrdersAreAskedForWithTheCallersToken(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	var after atomic.Uint64
	s.serveOrders(t, everyone, after.Store)
	p := s.start(t)
	caller := p.signUp(t, "sungi@x.test")
	path := userPath(caller.MemberID)
	token := consistency.Token(time.Now().Add(time.Minute).UnixMicro())
	p.conditional(t, caller, http.MethodGet, path, "", consistency.Header, token.String())
	require.Equal(t, uint64(token), after.Load())
	wrote := p.do(t, caller, http.MethodPatch, path, `{"nickname":"other"}`)
	require.GreaterOrEqual(t, consistency.Token(after.Load()), consistency.Parse(wrote.header.Get(consistency.Header)),
		"the answer to a write shows orders of before it")
}

func TestOthersSearchWithTheTokenOfWhoWillSeeTheAnswer(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	p.fill(t, 1)
	p.onPrimaryAlone(t, "UPDATE members SET name = 'Newer'")
	match := func(after consistency.Token) int {
		reply, err := call[accounts.MatchReply](t, p.surroundings, accounts.SubjectMatch,
			accounts.MatchRequest{Terms: []string{"newer"}, After: uint64(after)})
		require.NoError(t, err)
		return len(reply.MemberIDs[0])
	}
	require.Eventually(t, func() bool { return match(0) == 0 }, time.Minute, 5*time.Millisecond)
	for range 20 {
		require.Equal(t, 1, match(consistency.Newest))
	}
}

func TestEveryChangeOfAMemberIsPublished(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	stream, err := jetstream.New(p.conn)
	require.NoError(t, err)
	var consumer jetstream.Consumer
	require.Eventually(t, func() bool {
		consumer, err = stream.CreateOrUpdateConsumer(t.Context(), "OMS_EVENTS", jetstream.ConsumerConfig{FilterSubject: "oms.events.accounts.>"})
		return err == nil
	}, time.Minute, 10*time.Millisecond, "the process made no stream")
	next := func(kind string, id, version uint64) {
		message, err := consumer.Next(jetstream.FetchMaxWait(patience))
		require.NoError(t, err)
		require.NoError(t, message.Ack())
		require.Equal(t, "oms.events.accounts."+kind+".v1", message.Subject())
		var event struct {
			ID, Source, Type, Subject string
			Data                      accounts.EventData
		}
		require.NoError(t, json.Unmarshal(message.Data(), &event))
		require.Equal(t, event.ID, message.Headers().Get("Nats-Msg-Id"))
		require.Equal(t, fmt.Sprint(id), event.Subject)
		require.Equal(t, accounts.EventData{MemberID: id, Version: version, Active: true}, event.Data)
	}
	caller := p.signUp(t, "sungi@x.test")
	next("created", caller.MemberID, 1)
	for version := range uint64(5) {
		p.do(t, caller, http.MethodPatch, userPath(caller.MemberID), fmt.Sprintf(`{"phone":"021234%d"}`, version))
		next("changed", caller.MemberID, version+2)
	}
	require.Equal(t, http.StatusNoContent, p.do(t, caller, http.MethodDelete, userPath(caller.MemberID), "").status)
	next("deleted", caller.MemberID, 7)
}

func TestWithoutNATSWritesAreMadeAndToldOnceItIsBack(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	p := s.start(t)
	caller := p.signUp(t, "sungi@x.test")
	require.NoError(t, p.Broker.Stop(t.Context()))
	for i := range 3 {
		got := p.do(t, caller, http.MethodPatch, userPath(caller.MemberID), fmt.Sprintf(`{"phone":"021234%d"}`, i))
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		require.NotEmpty(t, got.header.Get(consistency.Header))
	}
	require.Equal(t, 4, p.number(t, "SELECT COUNT(*) FROM outbox"))
	require.NoError(t, p.Broker.Restart(t.Context()))
	require.Eventually(t, func() bool {
		return p.number(t, "SELECT COUNT(*) FROM outbox WHERE published_at IS NULL") == 0
	}, time.Minute, 20*time.Millisecond)
}
