package service

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
	"oms.internal/libs/version"
)

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// parcels is a service whose commands tell what they were given.
func parcels(told *[]string) Program[special] {
	return Program[special]{
		Name: "parcels",
		Migrate: func(_ context.Context, cfg mysqlx.Config, _ *slog.Logger) error {
			*told = append(*told, "migrate as "+cfg.User)
			return nil
		},
		Commands: map[string]func(context.Context, special, *slog.Logger, []string) error{
			"paint": func(_ context.Context, cfg special, log *slog.Logger, args []string) error {
				log.Info("connected")
				log.Warn("no brush")
				*told = append(*told, "paint "+cfg.Colour+" "+strings.Join(args, " "))
				return nil
			},
		},
	}
}

func TestCommandsGetTheirConfigurationAndArguments(t *testing.T) {
	t.Parallel()
	var told []string
	var out strings.Builder
	require.NoError(t, parcels(&told).Command(t.Context(), []string{"migrate"}, environ(t), &out))
	require.NoError(t, parcels(&told).Command(t.Context(), []string{"paint", "the", "wall"}, environ(t, "COLOUR_NAME=blue"), &out))
	require.Equal(t, []string{"migrate as parcels_migrate", "paint blue the wall"}, told)
}

func TestAnOperatorsCommandLogsOnlyWhatIsWrong(t *testing.T) {
	t.Parallel()
	var told []string
	var out strings.Builder
	require.NoError(t, parcels(&told).Command(t.Context(), []string{"paint"}, environ(t), &out))
	require.Contains(t, out.String(), "no brush")
	require.NotContains(t, out.String(), "connected")
}

func TestAnUnknownCommandIsToldWhichThereAre(t *testing.T) {
	t.Parallel()
	err := parcels(nil).Command(t.Context(), []string{"pant"}, nil, &strings.Builder{})
	require.EqualError(t, err, `unknown command "pant"; there are serve, migrate, health, version, paint`)
}

func TestVersionNeedsNoConfiguration(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, parcels(nil).Command(t.Context(), []string{"version"}, nil, &out))
	require.Equal(t, "parcels "+version.Get().String()+"\n", out.String())
}

func TestHealthAsksTheAdminPortAndNeedsNoOtherSetting(t *testing.T) {
	t.Parallel()
	for address, environ := range map[string][]string{
		"127.0.0.1:2": nil, "127.0.0.1:1": {"HTTP_ADDR=:2", "ADMIN_ADDR=127.0.0.1:1"},
	} {
		err := parcels(nil).Command(t.Context(), []string{"health"}, environ, &strings.Builder{})
		require.ErrorContains(t, err, address)
	}
}
