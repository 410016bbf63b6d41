package nats_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/natsx"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"

	"oms.internal/deploy/internal/secret"
)

const patience = time.Minute // for what is over at once unless something is broken

type message struct{}

func echo(context.Context, message) (message, error) { return message{}, nil }

// process is a connection as a process of the system opens it.
func process(t *testing.T, server *natsserver.Server, secrets, user string) *nats.Conn {
	t.Helper()
	password, err := secret.Read(secrets, "nats-"+user)
	require.NoError(t, err)
	conn, err := natsx.Connect(natsx.Config{URL: server.URL(), User: user, Password: password}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, conn.IsConnected, patience, time.Millisecond)
	return conn
}

func TestTheRightsAreEnoughForEveryTask(t *testing.T) {
	t.Parallel()
	server, secrets := start(t)
	conns := map[string]*nats.Conn{}
	for _, user := range users {
		conns[user] = process(t, server, secrets, user)
	}
	for service, subjects := range map[string][]string{
		accounts.Service: {accounts.SubjectExists, accounts.SubjectMatch, accounts.SubjectLastSeen},
		orders.Service:   {orders.SubjectLast},
	} {
		var endpoints []natsx.Endpoint
		for _, subject := range subjects {
			endpoints = append(endpoints, natsx.NewEndpoint(filepath.Ext(subject)[1:], subject, echo))
		}
		go func() {
			_ = natsx.Serve(t.Context(), conns[service], service, slog.New(slog.DiscardHandler), endpoints...)
		}()
	}
	for caller, subjects := range map[string][]string{
		"accounts": {orders.SubjectLast},
		"orders":   {accounts.SubjectExists, accounts.SubjectMatch},
		"gateway":  {accounts.SubjectLastSeen},
		"ops":      {"$SRV.PING.accounts", "$SRV.INFO.accounts", "$SRV.STATS.orders", "$SRV.PING"},
	} {
		for _, subject := range subjects {
			require.Eventually(t, func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := natsx.Call[message](ctx, conns[caller], subject, message{})
				return err == nil
			}, patience, 10*time.Millisecond, "%s asks %s", caller, subject)
		}
	}
	heard, err := conns["gateway"].SubscribeSync(accounts.SubjectRevoked)
	require.NoError(t, err)
	require.NoError(t, conns["gateway"].Flush())
	require.NoError(t, conns["accounts"].Publish(accounts.SubjectRevoked, []byte("x")))
	_, err = heard.NextMsg(patience)
	require.NoError(t, err)
	for user, conn := range conns {
		require.NoError(t, conn.LastError(), user)
	}
}

func TestARequestOpensItsReplySubjectForOneAnswer(t *testing.T) {
	t.Parallel()
	server, secrets := start(t)
	service, caller := connect(t, server, secrets, "orders"), connect(t, server, secrets, "accounts")
	requests, err := service.SubscribeSync(orders.SubjectLast)
	require.NoError(t, err)
	require.NoError(t, service.Flush())
	require.NoError(t, caller.PublishRequest(orders.SubjectLast, "_INBOX_accounts.one", nil))
	request, err := requests.NextMsg(patience)
	require.NoError(t, err)
	require.NoError(t, request.Respond(nil))
	require.True(t, allowed(t, service))
	require.NoError(t, request.Respond(nil))
	require.False(t, allowed(t, service), "a second answer")
}

func TestWrongAndMissingPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	server, secrets := start(t)
	passwords := map[string]string{"nobody": "", "admin": "admin"}
	for _, user := range users {
		password, err := secret.Read(secrets, "nats-"+user)
		require.NoError(t, err)
		passwords[user] = password
	}
	tries := []nats.Option{nats.Name("nobody at all"), nats.Token(passwords["ops"]), nats.UserInfo("", "")}
	for user, own := range passwords {
		tries = append(tries, nats.UserInfo(user, ""), nats.UserInfo(user, "wrong"), nats.UserInfo(user, own+"x"))
		for other, password := range passwords {
			if other != user || own == "" || user == "admin" {
				tries = append(tries, nats.UserInfo(user, password))
			}
		}
	}
	for number, try := range tries {
		conn, err := nats.Connect(server.URL(), try)
		require.ErrorIs(t, err, nats.ErrAuthorization, "try %d", number)
		require.Nil(t, conn)
	}
	t.Logf("%d tries", len(tries))
}

// As libs/README.md describes it.
func TestTheConfigurationCanBeExtendedByTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	configure(t, dir, "")
	authority := testservers.NewAuthority(t)
	cert, key := authority.Issue(t, "127.0.0.1")
	file := filepath.Join(dir, "tls.conf")
	extended := fmt.Sprintf("include nats.conf\ntls { cert_file: %q, key_file: %q }\n", cert, key)
	require.NoError(t, os.WriteFile(file, []byte(extended), 0o600))
	server, err := natsserver.Start(t.Context(), natsserver.Options{ConfigFile: file})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })

	password, err := secret.Read(filepath.Join(dir, "secrets"), "nats-gateway")
	require.NoError(t, err)
	config := natsx.Config{URL: server.URL(), User: "gateway", Password: password, TLSCAFile: authority.File}
	conn, err := natsx.Connect(config, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, conn.IsConnected, patience, time.Millisecond)
	_, err = conn.TLSConnectionState()
	require.NoError(t, err)
	_, err = nats.Connect(server.URL(), nats.UserInfo("gateway", password))
	require.ErrorIs(t, err, nats.ErrTLS, "without the authority")
}

// doors are what a server with the real configuration, and more where given, says it opens.
func doors(t *testing.T, more string) []string {
	t.Helper()
	dir := t.TempDir()
	file := configure(t, dir, more)
	server, err := natsserver.Start(t.Context(), natsserver.Options{ConfigFile: file, Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	logs, err := filepath.Glob(filepath.Join(dir, "oms-nats-*", "nats.log"))
	require.NoError(t, err)
	require.Len(t, logs, 1)
	log, err := os.ReadFile(logs[0])
	require.NoError(t, err)
	return regexp.MustCompile(`(?:Starting \w+ monitor|Listening for .*)`).FindAllString(string(log), -1)
}

func TestTheServerOpensNoDoorButTheOneForClients(t *testing.T) {
	t.Parallel()
	opened := doors(t, "")
	require.Len(t, opened, 1)
	require.Regexp(t, `^Listening for client connections on 127\.0\.0\.1:`, opened[0])
	require.Contains(t, doors(t, `http: "127.0.0.1:-1"`), "Starting http monitor", "an open door would be seen")
}
