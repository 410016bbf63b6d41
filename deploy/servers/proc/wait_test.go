package proc

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPollThatTookTooLongTellsWhatWasWrongAndNotOnlyThatItsTimeWasOver(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	wrong := errors.New("the door is shut")
	checks := 0
	err := Poll(ctx, func() error {
		if checks++; checks == 1 {
			return wrong
		}
		cancel()
		return ctx.Err()
	})
	require.ErrorIs(t, err, wrong)
	require.ErrorIs(t, err, context.Canceled)
}
