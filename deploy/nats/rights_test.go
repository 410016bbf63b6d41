package nats_test

import (
	"crypto/rand"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"

	"oms.internal/deploy/internal/secret"
)

// users are all users of the configuration.
var users = []string{"accounts", "orders", "gateway", "ops"}

// right is who may use a subject; all others of the users may not.
type right struct {
	subject    string
	publishers []string
	readers    []string
}

func may(users ...string) []string { return users }

// rights are the subjects of the contracts, each with a row, and subjects that somebody would try who got hold of a
// password: wildcards that reach more than the owner's part, others' inboxes, discovery under another's name, and the
// server's own subjects.
func rights() []right {
	all := []right{
		{accounts.SubjectExists, may("orders"), may("accounts")},
		{accounts.SubjectMatch, may("orders"), may("accounts")},
		{accounts.SubjectImported, may("orders"), may("accounts")},
		{accounts.SubjectLastSeen, may("gateway"), may("accounts")},
		{accounts.SubjectCredential, may("gateway"), may("accounts")},
		{accounts.SubjectRevoked, may("accounts"), may("gateway")},
		{orders.SubjectLast, may("accounts"), may("orders")},
		{consistency.SubjectWritten, may("accounts", "orders"), may("gateway")},

		{"oms.rpc.accounts.>", may(), may("accounts")},
		{"oms.rpc.accounts.other", may(), may("accounts")},
		{"oms.rpc.orders.>", may(), may("orders")},
		{"oms.rpc.orders.other", may(), may("orders")},

		{"$SRV.PING", may("ops"), may("accounts", "orders")},
		{"$SRV.INFO.accounts", may("ops"), may("accounts")},
		{"$SRV.STATS.orders", may("ops"), may("orders")},
		{"$SRV.PING.accounts.ID", may("ops"), may("accounts")},
		{"$SRV.STATS.orders.ID", may("ops"), may("orders")},
		{"$SRV.STATS.orders.*", may("ops"), may("orders")},
	}
	all = append(all, eventRights()...)
	for _, user := range users {
		all = append(all, right{"_INBOX_" + user + ".x", may(), may(user)}, right{"_INBOX_" + user + ".>", may(), may(user)})
	}
	for _, subject := range []string{
		">", "*", "*.>", "*.x", "oms", "oms.>", "oms.*", "oms.*.>", "oms.rpc.>", "oms.rpc.*.*", "oms.rpc.*.last",
		"oms.rpc.*.exists", "oms.rpc.gateway.x", "oms.revocations.x", "oms.revocations.>", "oms.other", "OMS.REVOCATIONS",
		"oms.consistency.x", "oms.consistency.>",
		"$SRV.>", "$SRV.*", "$SRV.*.*", "$SRV.*.accounts", "$SRV.PING.>", "$SRV.PING.*", "$SRV.PING.gateway",
		"_INBOX", "_INBOX.x", "_INBOX.>", "_INBOX.*", "_INBOX_accounts", "_INBOX_other.x",
		"$SYS.>", "$SYS.REQ.USER.INFO", "$SYS.REQ.SERVER.PING", "$SYS.ACCOUNT.*.CONNECT",
		"$JS.>", "$JS.API.>", "$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.STREAM.CREATE.x", "$JS.EVENT.>", "$JS.ACK.>",
		"$KV.x.y", "$O.x.y", "$G.>", "$MQTT.>", "_R_.x", "x", rand.Text(), rand.Text() + "." + rand.Text(),
	} {
		publishers := may()
		if strings.HasPrefix(subject, "$SRV.") {
			publishers = may("ops")
		}
		all = append(all, right{subject, publishers, may()})
	}
	return all
}

func TestEachUserMayUseTheSubjectsOfItsTaskAndNoOthers(t *testing.T) {
	t.Parallel()
	server, secrets := start(t)
	combinations := 0
	for _, right := range rights() {
		for _, user := range users {
			publisher := connect(t, server, secrets, user)
			require.NoError(t, publisher.Publish(right.subject, nil))
			require.Equal(t, slices.Contains(right.publishers, user), allowed(t, publisher), "%s publishes %s", user, right.subject)
			publisher.Close()

			reader := connect(t, server, secrets, user)
			_, err := reader.SubscribeSync(right.subject)
			require.NoError(t, err)
			require.Equal(t, slices.Contains(right.readers, user), allowed(t, reader), "%s reads %s", user, right.subject)
			reader.Close()
			combinations += 2
		}
	}
	t.Logf("%d combinations", combinations)
}

func TestEveryUserIsTried(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile("nats.conf")
	require.NoError(t, err)
	var configured, known []string
	for _, found := range regexp.MustCompile(`(?m)^\s*user: (\S+)$`).FindAllStringSubmatch(string(config), -1) {
		configured = append(configured, found[1])
	}
	for _, name := range secret.Passwords {
		if user, ours := strings.CutPrefix(name, "nats-"); ours {
			known = append(known, user)
		}
	}
	require.ElementsMatch(t, users, configured)
	require.ElementsMatch(t, users, known)
}

func TestEverySubjectOfTheContractsHasItsRow(t *testing.T) {
	t.Parallel()
	var rows []string
	for _, right := range rights() {
		rows = append(rows, right.subject)
	}
	found := subjects(t)
	require.Contains(t, found, accounts.SubjectLastSeen)
	require.Contains(t, found, orders.SubjectLast)
	for _, subject := range found {
		require.Contains(t, rows, subject, "who may use this subject? Add a row to the rights and to nats.conf")
	}
}

// subjects are the constants of the contracts that name subjects, whatever expression makes them.
func subjects(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../libs/contracts/*/*.go")
	require.NoError(t, err)
	packages := map[string][]*ast.File{}
	positions := token.NewFileSet()
	for _, path := range files {
		file, err := parser.ParseFile(positions, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		packages[filepath.Dir(path)] = append(packages[filepath.Dir(path)], file)
	}
	var found []string
	for dir, files := range packages {
		// What constants need of other packages is nothing, so imports may stay unresolved.
		checker := types.Config{Error: func(error) {}}
		checked, _ := checker.Check(dir, positions, files, nil)
		for _, name := range checked.Scope().Names() {
			value, ok := checked.Scope().Lookup(name).(*types.Const)
			if !ok || value.Val().Kind() != constant.String {
				continue
			}
			if subject := constant.StringVal(value.Val()); strings.HasPrefix(subject, "oms.") {
				found = append(found, subject)
			}
		}
	}
	return found
}
