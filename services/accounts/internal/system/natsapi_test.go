package system

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/natsapi"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

func TestGatewaysReportSessionsOverNATS(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	server := testservers.NewNATS(t, "")
	log := slog.New(slog.DiscardHandler)
	conn, err := natsx.Connect(natsx.Config{URL: server.URL()}, log)
	require.NoError(t, err)
	defer conn.Close()
	require.Eventually(t, conn.IsConnected, patience, 10*time.Millisecond)
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	serving, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- natsx.Serve(serving, conn, accounts.Service, log, natsapi.Endpoints(s.Service)...) }()

	who := s.signUp(t, 1)
	s.Advance(time.Minute)
	seen := accounts.LastSeenRequest{Sessions: []accounts.LastSeen{{SessionID: who.SessionID, At: s.Now()}}}
	require.Eventually(t, func() bool {
		_, err = natsx.Call[accounts.LastSeenReply](ctx, conn, accounts.SubjectLastSeen, seen)
		return err == nil
	}, patience, 10*time.Millisecond)
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM sessions WHERE id = ? AND last_seen_at = ?", who.SessionID, s.Now()))
	seen.Sessions = make([]accounts.LastSeen, accounts.MaxLastSeen+1)
	_, err = natsx.Call[accounts.LastSeenReply](ctx, conn, accounts.SubjectLastSeen, seen)
	requireCode(t, fault.Malformed, err)

	end()
	require.NoError(t, <-ended)
}
