package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// published returns the ids of the keys that a running service publishes.
func published(t *testing.T, addr string) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/.well-known/jwks.json", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var set struct {
		Keys []struct {
			KID string `json:"kid"`
		} `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(content, &set), "%s", content)
	var ids []string
	for _, key := range set.Keys {
		ids = append(ids, key.KID)
	}
	return ids
}

func TestARotationByAnOperatorReachesTheRunningServiceAndIsWrittenDown(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	before := published(t, p.HTTP.String())
	require.Len(t, before, 1)

	var out bytes.Buffer
	require.NoError(t, keys(t.Context(), p.cfg, discard, []string{"rotate"}, &out))
	require.Regexp(t, `^added \S+\.pem \(key id \S+\)`, out.String())
	id := strings.TrimSuffix(strings.SplitN(out.String(), "key id ", 2)[1], "); it signs in a few seconds\n")
	require.Eventually(t, func() bool { return slices.Contains(published(t, p.HTTP.String()), id) }, time.Minute, 50*time.Millisecond)
	require.Subset(t, published(t, p.HTTP.String()), before)

	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'key_rotation'"))
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'key_rotation' AND detail = ?", "added "+id))
	require.Error(t, keys(t.Context(), p.cfg, discard, nil, &out))
}
