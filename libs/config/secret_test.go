package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
)

func sample() settings {
	return settings{
		Addr: ":1", Timeout: time.Second, Workers: 2,
		Database: database{Hosts: []string{"a:1"}, Password: "hunter2"},
	}
}

func TestSecretsPrintAsAsterisksWithEveryVerb(t *testing.T) {
	t.Parallel()
	values := map[string]any{"secret": config.Secret("hunter2"), "struct": sample(), "list": []config.Secret{"hunter2"}}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			printed := fmt.Sprintf(verb, value)
			require.NotContains(t, printed, "hunter2", "%s as %s", name, verb)
			require.NotContains(t, printed, "68756e74657232", "%s as %s", name, verb)
		}
	}
	require.Equal(t, "******", config.Secret("hunter2").String())
	require.Equal(t, "hunter2", string(config.Secret("hunter2")))
}

func TestSecretsAreMaskedInJSON(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(map[string]any{"settings": sample(), "secret": config.Secret("hunter2")})
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "hunter2")
	require.Contains(t, string(encoded), `"secret":"******"`)
}

func TestSecretsAreMaskedInLogs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		log := slog.New(handler)
		log.Info("start", "secret", config.Secret("hunter2"), "settings", sample())
		log.LogAttrs(t.Context(), slog.LevelInfo, "described", config.Describe(sample())...)
	}
	require.NotContains(t, out.String(), "hunter2")
	require.Contains(t, out.String(), `"MYSQL_PASSWORD_FILE":"******"`)
}

func TestDescribeListsEverySettingInOrderUnderItsKey(t *testing.T) {
	t.Parallel()
	described := sample()
	attrs := config.Describe(&described)
	var keys []string
	for _, attr := range attrs {
		keys = append(keys, attr.Key)
	}
	require.Equal(t, []string{"SHOP_ADDR", "SHOP_TIMEOUT", "SHOP_WORKERS", "MYSQL_HOSTS", "MYSQL_PASSWORD_FILE"}, keys)
	require.Equal(t, ":1", attrs[0].Value.String())
	require.Equal(t, "******", attrs[4].Value.Resolve().String())
}
