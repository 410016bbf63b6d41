package command_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/command"
)

// parcels is a program whose commands tell what ran.
func parcels(ran *[]string) *cobra.Command {
	tell := func(at *cobra.Command, args []string) error {
		*ran = append(*ran, strings.Join(append([]string{at.Name()}, args...), " "))
		return nil
	}
	paint := command.New("paint COLOUR", "paint a parcel", 1, tell)
	paint.Flags().Bool("twice", false, "paint it again")
	return command.Program("parcels", "keeps parcels", command.New("serve", "serve", 0, tell),
		command.Group("parcel", "what one does with a parcel", paint,
			command.New("lose", "lose it", 0, func(*cobra.Command, []string) error { return errors.New("it is still there") }),
			command.New("count", "count them", 0, func(*cobra.Command, []string) error {
				return fmt.Errorf("count: %w", command.Exit(3, errors.New("some are missing")))
			})))
}

func TestTheFirstCommandRunsWhereNoneIsNamed(t *testing.T) {
	t.Parallel()
	var ran []string
	for _, args := range [][]string{nil, {"serve"}, {"parcel", "paint", "red", "--twice"}} {
		require.NoError(t, command.Run(t.Context(), parcels(&ran), args, &strings.Builder{}))
	}
	require.Equal(t, []string{"parcels", "serve", "paint red"}, ran)
}

func TestAMistakeInTheCommandLineRunsNothingAndIsOneLineThatSaysWhereHelpIs(t *testing.T) {
	t.Parallel()
	var ran []string
	for line, want := range map[string]string{
		"pant":                  `unknown command "pant"; see parcels --help`,
		"serve now":             `1 arguments instead of 0: parcels serve; see parcels serve --help`,
		"parcel":                `a command is missing; see parcels parcel --help`,
		"parcel pant":           `unknown command "pant"; see parcels parcel --help`,
		"parcel paint":          `0 arguments instead of 1: parcels parcel paint COLOUR; see parcels parcel paint --help`,
		"parcel paint red blue": `2 arguments instead of 1: parcels parcel paint COLOUR; see parcels parcel paint --help`,
		"parcel paint --thrice": `unknown flag: --thrice; see parcels parcel paint --help`,
	} {
		var out strings.Builder
		err := command.Run(t.Context(), parcels(&ran), strings.Fields(line), &out)
		require.EqualError(t, err, want, line)
		require.Equal(t, command.Misused, command.Code(err), line)
		require.Empty(t, out.String(), line)
	}
	require.Empty(t, ran)
}

func TestEveryCommandHasHelpThatNamesWhatItTakes(t *testing.T) {
	t.Parallel()
	var ran []string
	for line, want := range map[string][]string{
		"--help": {"keeps parcels", "parcel", "what one does with a parcel", "serve"}, "parcel --help": {"paint a parcel", "lose it"},
		"parcel paint --help": {"parcels parcel paint COLOUR", "--twice", "paint it again"}, "serve -h": {"parcels serve"},
	} {
		var out strings.Builder
		require.NoError(t, command.Run(t.Context(), parcels(&ran), strings.Fields(line), &out), line)
		for _, part := range want {
			require.Contains(t, out.String(), part, line)
		}
		require.NotContains(t, out.String(), "completion", line)
	}
	require.Empty(t, ran)
}

func TestTheExitCodeTellsWhatHappened(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{"serve": 0, "parcel lose": command.Failed, "parcel count": 3, "pant": command.Misused} {
		require.Equal(t, want, command.Code(command.Run(t.Context(), parcels(new([]string)), strings.Fields(line), &strings.Builder{})), line)
	}
}
