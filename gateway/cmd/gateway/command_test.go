package main

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/command"
	"oms.internal/libs/version"
)

func TestCommandsThatNeedNoConfiguration(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"version": "gateway " + version.Get().String() + "\n", "routes": `"/orders/"`} {
		var out bytes.Buffer
		require.NoError(t, command.Run(t.Context(), commandLine(nil), []string{name}, &out))
		require.Contains(t, out.String(), want)
	}
	err := command.Run(t.Context(), commandLine([]string{"ADMIN_ADDR=127.0.0.1:1"}), []string{"health"}, &bytes.Buffer{})
	require.ErrorContains(t, err, "127.0.0.1:1")
	err = command.Run(t.Context(), commandLine(nil), []string{"sreve"}, &bytes.Buffer{})
	require.EqualError(t, err, `unknown command "sreve"; see gateway --help`)
	require.Equal(t, command.Misused, command.Code(err))
	for _, arguments := range [][]string{nil, {"check"}} {
		require.ErrorContains(t, command.Run(t.Context(), commandLine(nil), arguments, &bytes.Buffer{}), "NATS_URL")
	}
}

func TestTheGatewayLinksNoDatabaseAndNoClientOfItself(t *testing.T) {
	t.Parallel()
	listed, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	linked := strings.Fields(string(listed))
	require.Contains(t, linked, "oms.internal/libs/lifecycle", "the check sees what the program links")
	// database/sql alone comes with the metrics.
	for _, path := range []string{"github.com/go-sql-driver/mysql", "oms.internal/libs/mysqlx", "oms.internal/libs/service", "oms.internal/libs/client"} {
		require.False(t, slices.Contains(linked, path), "%s is linked", path)
	}
}
