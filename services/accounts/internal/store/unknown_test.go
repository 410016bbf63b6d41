package store_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/store"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

// lossy stands between a store and its primary. While lose is set, it passes the next COMMIT on and loses the connection
// once the server has answered.
type lossy struct {
	lose atomic.Bool
	lost atomic.Int32
}

// through returns the same store over a connection that can be lost.
func (f fixture) through(t *testing.T) (*store.Store, *lossy) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	line := &lossy{}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { line.serve(client, f.Pair.Primary.Addr()) })
		}
	})
	cluster, err := mysqlx.Open(mysqlx.Config{
		Hosts: []string{listener.Addr().String()}, User: f.Schema.App.User, Password: f.Schema.App.Password, Database: f.Schema.Name,
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cluster.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		require.NoError(t, listener.Close())
		all.Wait()
	})
	require.Eventually(t, func() bool { return cluster.Ready() == nil }, time.Minute, 5*time.Millisecond)
	return store.New(cluster), line
}

func (l *lossy) serve(client net.Conn, target string) {
	defer client.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	var losing atomic.Bool
	var answers sync.WaitGroup
	answers.Go(func() {
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || losing.Load() {
				return // with the answer to the COMMIT unsaid
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	defer answers.Wait()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			if !losing.Load() {
				_ = server.Close()
			}
			return
		}
		if bytes.Contains(buffer[:n], []byte("COMMIT")) && l.lose.CompareAndSwap(true, false) {
			losing.Store(true)
			l.lost.Add(1)
		}
		if _, err := io.Copy(server, bytes.NewReader(buffer[:n])); err != nil {
			return
		}
	}
}

func TestASignUpWhoseCommitIsLostIsLookedUpAndIsNoReplay(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	distant, line := f.through(t)
	ctx, cancel := context.WithTimeout(consistency.Into(t.Context(), 0), time.Minute)
	defer cancel()
	line.lose.Store(true)
	made := 0
	request := answering("key")
	request.Answer = func(account.Member, account.Session) ([]byte, error) {
		made++
		return []byte{'a', byte(made)}, nil
	}
	kept, err := distant.CreateMember(ctx, sungi, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord(), request)
	require.NoError(t, err)
	require.Nil(t, kept, "it was this very request that did it")
	require.Equal(t, int32(1), line.lost.Load(), "nothing was lost")
	require.Equal(t, 1, made)
	members, sessions := f.rows(t)
	require.Equal(t, []int{1, 1}, []int{members, sessions})
	require.NotZero(t, consistency.WrittenBy(ctx))

	// Without a key nobody can know.
	line.lose.Store(true)
	_, err = distant.CreateMember(ctx, dream, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord(), answering(""))
	requireCode(t, fault.OutcomeUnknown, err)
}
