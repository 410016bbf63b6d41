package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
)

func FuzzLoadGivesSettingsOrMistakesAndNeverShowsASecret(f *testing.F) {
	for _, environ := range []string{
		"", "MYSQL_HOSTS=", "MYSQL_HOSTS=a:1", "MYSQL_HOSTS=a:1,,b", "SHOP_TIMEOUT=250ms\nMYSQL_HOSTS=a", "SHOP_TIMEOUT=soon", "SHOP_WORKERS=\x00",
		"SHOP_TIMEOUT", "=x", "==", "SHOP_=1", "MYSQL_PASSWORD=x", "MYSQL_HOSTS=${MYSQL_PASSWORD_FILE}", "SHOP_WORKERS=99999999999999999999",
	} {
		f.Add(environ)
	}
	const secret = "correct-horse-battery"
	path := filepath.Join(f.TempDir(), "password")
	require.NoError(f, os.WriteFile(path, []byte(secret+"\n"), 0o600))
	f.Fuzz(func(t *testing.T, environ string) {
		entries := append(strings.Split(environ, "\n"), "MYSQL_PASSWORD_FILE="+path)
		loaded, err := config.Load[settings](entries)
		if err != nil {
			require.NotContains(t, err.Error(), secret)
			return
		}
		require.Equal(t, config.Secret(secret), loaded.Database.Password)
		for _, attr := range config.Describe(loaded) {
			require.NotContains(t, attr.Value.Resolve().String(), secret)
		}
	})
}
