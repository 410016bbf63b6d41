package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
)

type database struct {
	Hosts    []string      `env:"MYSQL_HOSTS,required"`
	Password config.Secret `env:"MYSQL_PASSWORD_FILE,file,required"`
}

type settings struct {
	Addr     string        `env:"SHOP_ADDR" envDefault:":8080"`
	Timeout  time.Duration `env:"SHOP_TIMEOUT" envDefault:"3s"`
	Workers  int           `env:"SHOP_WORKERS" envDefault:"4"`
	Database database
}

func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestLoadFillsFieldsFromTheEnvironmentAndDefaults(t *testing.T) {
	t.Parallel()
	loaded, err := config.Load[settings]([]string{
		"SHOP_TIMEOUT=250ms", "MYSQL_HOSTS=a:1,b:2", "MYSQL_PASSWORD_FILE=" + secretFile(t, "s3cret-of-a-shop"),
	})
	require.NoError(t, err)
	require.Equal(t, settings{
		Addr: ":8080", Timeout: 250 * time.Millisecond, Workers: 4,
		Database: database{Hosts: []string{"a:1", "b:2"}, Password: "s3cret-of-a-shop"},
	}, loaded)
}

func TestLoadReportsAllMistakesTogether(t *testing.T) {
	t.Parallel()
	_, err := config.Load[settings]([]string{
		"SHOP_TIMEOUT=soon", "SHOP_WORKERS=many", "SHOP_ADRR=:1", "MYSQL_PASSWORD_FILE=/nonexistent/secret",
	})
	for _, mistake := range []string{"SHOP_TIMEOUT", "SHOP_WORKERS", "SHOP_ADRR", "MYSQL_HOSTS", "/nonexistent/secret"} {
		require.ErrorContains(t, err, mistake)
	}
}

func TestLoadRefusesKeysItDoesNotKnow(t *testing.T) {
	t.Parallel()
	valid := []string{"MYSQL_HOSTS=a:1", "MYSQL_PASSWORD_FILE=" + secretFile(t, "xxxxxxxxxxxxxxxx")}
	for entry, refused := range map[string]bool{
		"SHOP_TIMEOUTS=3s":    true,  // misspelt
		"MYSQL_PASSWORD=x":    true,  // the secret itself instead of its file
		"SHOP_=x":             true,  //
		"SHOP=x":              false, // not one of a family
		"SHOPPING_LIST=x":     false, // another family
		"PATH=/bin":           false,
		"KUBERNETES_PORT=443": false,
	} {
		_, err := config.Load[settings](append([]string{entry}, valid...))
		require.Equal(t, refused, err != nil, "%s: %v", entry, err)
	}
}

func TestLoadNeverRepeatsASecretInItsMistakes(t *testing.T) {
	t.Parallel()
	_, err := config.Load[settings]([]string{"MYSQL_PASSWORD=hunter2", "MYSQL_PASSWORD_FILE=" + secretFile(t, "hunter2")})
	require.ErrorContains(t, err, "MYSQL_PASSWORD: there is no such setting")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestSecretsLoseTheLineEndOfTheirFileAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		content string
		want    config.Secret
	}{
		{"0123456789abcdef", "0123456789abcdef"}, {"0123456789abcdef\n", "0123456789abcdef"}, {"0123456789abcdef\r\n", "0123456789abcdef"},
		{"operator", "operator"}, {" 0123456789 abcdef \n", " 0123456789 abcdef "}, {"비밀번호 열여섯 글자\n", "비밀번호 열여섯 글자"},
	} {
		loaded, err := config.Load[settings]([]string{"MYSQL_HOSTS=a:1", "MYSQL_PASSWORD_FILE=" + secretFile(t, test.content)})
		require.NoError(t, err)
		require.Equal(t, test.want, loaded.Database.Password, "%q", test.content)
	}
}

func TestASecretThatCannotBeRightIsRefusedWithItsFile(t *testing.T) {
	t.Parallel()
	for content, mistake := range map[string]string{
		"": "is empty", "\n": "is empty", "\r\n\n": "is empty",
		"0123456789abcdef\n0123456789abcdef\n": "more than one line", "0123456789\x00abcdef": "is no text", "0123456789abcdef\xff": "is no text",
	} {
		file := secretFile(t, content)
		_, err := config.Load[settings]([]string{"MYSQL_HOSTS=a:1", "MYSQL_PASSWORD_FILE=" + file})
		require.ErrorContains(t, err, "MYSQL_PASSWORD_FILE: "+file, "%q", content)
		require.ErrorContains(t, err, mistake, "%q", content)
		require.NotContains(t, err.Error(), "0123456789")
	}
}

func TestASecretThatCannotBeReadIsOneMistake(t *testing.T) {
	t.Parallel()
	for _, file := range []string{t.TempDir(), "/nonexistent/secret", filepath.Join(secretFile(t, "x"), "below a file")} {
		_, err := config.Load[settings]([]string{"MYSQL_HOSTS=a:1", "MYSQL_PASSWORD_FILE=" + file})
		require.ErrorContains(t, err, file)
		require.NotContains(t, err.Error(), "\n", "a second mistake")
		require.NotContains(t, err.Error(), "empty")
	}
}
