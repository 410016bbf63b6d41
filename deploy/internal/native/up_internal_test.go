package native

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhyTheServersDoNotStartIsSaidBeforeTheBuildsAreDone(t *testing.T) {
	t.Parallel()
	wrong := errors.New("the database knows another password")
	endless := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	require.Equal(t, wrong, whileBuilding(t.Context(), endless, func(context.Context) error { return wrong }))
	broken := errors.New("it does not compile")
	require.Equal(t, broken, whileBuilding(t.Context(), func(context.Context) error { return broken }, func(ctx context.Context) error { return ctx.Err() }))
}
