package service

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/command"
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
		Commands: func(operate Operate[special]) []*cobra.Command {
			return []*cobra.Command{command.New("paint THE WALL", "paint something", 2, operate(paint(told)))}
		},
	}
}

func paint(told *[]string) func(context.Context, Operator[special]) error {
	return func(_ context.Context, operator Operator[special]) error {
		operator.Log.Info("connected")
		operator.Log.Warn("no brush")
		*told = append(*told, "paint "+operator.Config.Colour+" "+strings.Join(operator.Args, " "))
		_, err := io.WriteString(operator.Out, "painted")
		return err
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

func TestCheckOnlySaysWhetherTheSettingsAreRight(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, parcels(nil).Command(t.Context(), []string{"check"}, environ(t), &out))
	require.Empty(t, out.String())
	err := parcels(nil).Command(t.Context(), []string{"check"}, environ(t, "REQUEST_TIMEOUT=-1s", "DRAIN_TIME=1m"), &out)
	require.ErrorContains(t, err, "REQUEST_TIMEOUT: -1s is not positive")
	require.ErrorContains(t, err, "DRAIN_TIME")
}

func TestAnOperatorsCommandLogsOnlyWhatIsWrong(t *testing.T) {
	t.Parallel()
	var told []string
	var out strings.Builder
	require.NoError(t, parcels(&told).Command(t.Context(), []string{"paint", "the", "wall"}, environ(t), &out))
	require.Contains(t, out.String(), "no brush")
	require.NotContains(t, out.String(), "connected")

	program := parcels(&told).commandLine(environ(t))
	var answer, beside strings.Builder
	program.SetArgs([]string{"paint", "the", "wall"})
	program.SetOut(&answer)
	program.SetErr(&beside)
	require.NoError(t, program.ExecuteContext(t.Context()))
	require.Equal(t, "painted", answer.String(), "a program that reads the answer finds nothing else in it")
	require.Contains(t, beside.String(), "no brush")
}

func TestAnUnknownCommandIsToldWhichThereAre(t *testing.T) {
	t.Parallel()
	err := parcels(nil).Command(t.Context(), []string{"pant"}, nil, &strings.Builder{})
	require.EqualError(t, err, `unknown command "pant"; see parcels --help`)
	require.Equal(t, command.Misused, command.Code(err))
	var help strings.Builder
	require.NoError(t, parcels(nil).Command(t.Context(), []string{"--help"}, nil, &help))
	for _, name := range []string{"serve", "migrate", "check", "health", "version", "paint"} {
		require.Regexp(t, `(?m)^  `+name+` `, help.String())
	}
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
