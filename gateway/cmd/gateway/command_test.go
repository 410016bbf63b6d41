package main

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/version"
)

func TestCommandsThatNeedNoConfiguration(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"version": "gateway " + version.Get().String() + "\n", "routes": `"/orders/"`} {
		var out bytes.Buffer
		require.NoError(t, command(t.Context(), []string{name}, nil, &out))
		require.Contains(t, out.String(), want)
	}
	err := command(t.Context(), []string{"health"}, []string{"ADMIN_ADDR=127.0.0.1:1"}, &bytes.Buffer{})
	require.ErrorContains(t, err, "127.0.0.1:1")
	err = command(t.Context(), []string{"sreve"}, nil, &bytes.Buffer{})
	require.EqualError(t, err, `unknown command "sreve"; there are serve, routes, health, version`)
	require.ErrorContains(t, command(t.Context(), nil, nil, &bytes.Buffer{}), "NATS_URL")
}

func TestTheGatewayLinksNoDatabase(t *testing.T) {
	t.Parallel()
	listed, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	linked := strings.Fields(string(listed))
	require.Contains(t, linked, "oms.internal/libs/lifecycle", "the check sees what the program links")
	// database/sql alone comes with the metrics.
	for _, path := range []string{"github.com/go-sql-driver/mysql", "oms.internal/libs/mysqlx", "oms.internal/libs/service"} {
		require.False(t, slices.Contains(linked, path), "%s is linked", path)
	}
}
