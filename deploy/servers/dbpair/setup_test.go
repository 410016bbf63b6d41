package dbpair

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Other packages' tests take their pairs from testservers, which imports this one.

var shared struct {
	once sync.Once
	pair *Pair
	err  error
}

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests mostly wait for servers, so more of them run at once than there are processors. MySQL's servers are too heavy for that.
	if engine, err := EngineFromEnvironment(); err == nil && engine == MariaDB {
		if err := flag.Set("test.parallel", "4"); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if shared.pair != nil {
		if err := shared.pair.Close(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// sharedPair is for tests that stop no server.
func sharedPair(t *testing.T) *Pair {
	t.Helper()
	shared.once.Do(func() { shared.pair, shared.err = startForTest(context.Background()) })
	require.NoError(t, shared.err)
	return shared.pair
}

// newPair starts a pair that ends with the test.
func newPair(t *testing.T) *Pair {
	t.Helper()
	pair, err := startForTest(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pair.Close()) })
	return pair
}

func startForTest(ctx context.Context) (*Pair, error) {
	engine, err := EngineFromEnvironment()
	if err != nil {
		return nil, err
	}
	return Start(ctx, Options{Engine: engine})
}

func newSchema(t *testing.T) (*Pair, Schema) {
	t.Helper()
	pair := sharedPair(t)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	return pair, schema
}
