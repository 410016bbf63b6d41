package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/service/servicetest"
)

// published returns the ids of the keys that a running service publishes.
func (p *process) published(t *testing.T) (ids []string) {
	t.Helper()
	got := p.do(t, anonymous, http.MethodGet, "/.well-known/jwks.json", "")
	for _, key := range decode[struct{ Keys []struct{ Kid string } }](t, got.body).Keys {
		ids = append(ids, key.Kid)
	}
	return ids
}

func TestARotationByAnOperatorReachesTheRunningServiceAndIsWrittenDown(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	before := p.published(t)
	require.Len(t, before, 1)

	printed, err := p.operate(t, rotateKeys, "")
	require.NoError(t, err)
	require.Regexp(t, `^added \S+\.pem \(key id \S+\)`, printed)
	id := strings.TrimSuffix(strings.SplitN(printed, "key id ", 2)[1], "); it signs in a few seconds\n")
	require.Eventually(t, func() bool { return slices.Contains(p.published(t), id) }, patience, servicetest.Poll)
	require.Subset(t, p.published(t), before)

	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'key_rotation'"))
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'key_rotation' AND detail = ?", "added "+id))

	listed, err := p.operate(t, listKeys, "")
	require.NoError(t, err)
	require.Regexp(t, `^KEY ID +FILE +MADE +\n`+before[0]+` +20260101T000000\.pem +\S+ +\n`+id+` +\S+\.pem +\S+  signs\n$`, listed)
}
