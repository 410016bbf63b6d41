package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
)

func call[Reply any](t *testing.T, s *surroundings, subject string, request any) (Reply, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return natsx.Call[Reply](ctx, s.conn, subject, request)
}

func TestOthersAskOverNATSWhoExists(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	member := p.signUp(t, "a@x.test")
	for id, want := range map[uint64]bool{member.MemberID: true, 12345: false, 0: false, 1<<64 - 1: false} {
		reply, err := call[accounts.ExistsReply](t, p.surroundings, accounts.SubjectExists, accounts.ExistsRequest{MemberID: id})
		require.NoError(t, err)
		require.Equal(t, accounts.ExistsReply{Exists: want, Active: want}, reply, id)
	}
	_, err := p.db.ExecContext(t.Context(), "UPDATE members SET is_admin = TRUE")
	require.NoError(t, err)
	reply, err := call[accounts.ExistsReply](t, p.surroundings, accounts.SubjectExists, accounts.ExistsRequest{MemberID: member.MemberID})
	require.NoError(t, err)
	require.Equal(t, accounts.ExistsReply{Exists: true, Active: true, Admin: true}, reply)
}

func TestOthersAskOverNATSWhoMatches(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	p.fill(t, 3)
	for _, test := range []struct {
		request accounts.MatchRequest
		want    [][]uint64
	}{
		{accounts.MatchRequest{Terms: []string{"M001@", "김", "nobody"}}, [][]uint64{{2}, {1, 2, 3}, nil}},
		{accounts.MatchRequest{Terms: []string{"x.test"}, Among: 2, After: uint64(consistency.Newest)}, [][]uint64{{2}}},
		{accounts.MatchRequest{}, [][]uint64{}},
	} {
		reply, err := call[accounts.MatchReply](t, p.surroundings, accounts.SubjectMatch, test.request)
		require.NoError(t, err)
		require.Equal(t, accounts.MatchReply{MemberIDs: test.want}, reply, "%+v", test.request)
	}
	_, err := call[accounts.MatchReply](t, p.surroundings, accounts.SubjectMatch, accounts.MatchRequest{Terms: make([]string, 9)})
	require.True(t, fault.Is(err, fault.Malformed), "%v", err)
	_, err = call[accounts.MatchReply](t, p.surroundings, accounts.SubjectMatch, []string{"not an object"})
	require.True(t, fault.Is(err, fault.Malformed), "%v", err)
}
