package pages

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
)

var errBroken = errors.New("the database at 10.0.0.1 is down")

func broken(context.Context) error { return errBroken }

func TestPartsAreAskedOnceASecondHoweverManyWantToKnow(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	clock := testkit.Noon()
	known := newHealth([]Part{{"Orders", func(context.Context) error { asked.Add(1); return nil }}}, clock.Now)
	for second := range int32(3) {
		var visitors sync.WaitGroup
		for range 50 {
			visitors.Go(func() { require.Equal(t, []state{{"Orders", true}}, known.states(t.Context())) })
		}
		visitors.Wait()
		require.Equal(t, second+1, asked.Load())
		clock.Advance(knownFor)
	}
}

func TestAPartThatComesBackIsShownSo(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	clock := testkit.Noon()
	known := newHealth([]Part{{"Accounts", ready}, {"Orders", func(ctx context.Context) error {
		if down.Load() {
			return broken(ctx)
		}
		return nil
	}}}, clock.Now)
	for _, isDown := range []bool{true, false, true} {
		down.Store(isDown)
		require.Equal(t, []state{{"Accounts", true}, {"Orders", !isDown}}, known.states(t.Context()))
		clock.Advance(knownFor)
	}
}

func TestAPartThatHangsKeepsAVisitorForASecondAndIsTakenForDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		known := newHealth([]Part{{"Accounts", hang}, {"Orders", hang}, {"Gateway", ready}}, time.Now)
		began := time.Now()
		require.Equal(t, []state{{"Accounts", false}, {"Orders", false}, {"Gateway", true}}, known.states(t.Context()))
		require.Equal(t, askTimeout, time.Since(began), "all at once")
	})
}

func TestAVisitorWhoLeavesSpoilsTheAnswerForNobody(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	known := newHealth([]Part{{"Orders", context.Context.Err}}, time.Now)
	require.Equal(t, []state{{"Orders", true}}, known.states(ctx))
}
