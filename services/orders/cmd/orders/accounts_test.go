package main

import (
	"context"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
)

const (
	alice = 1
	bob   = 2
	boss  = 9 // an admin
)

// accountsService stands for the accounts service: the same subjects and messages over the same broker. It knows the three
// members, and finds Bob whatever it is asked for.
type accountsService struct {
	// before runs ahead of each answer to ExistsRequest.
	before func()
}

func serveAccounts(t *testing.T, conn *nats.Conn) *accountsService {
	t.Helper()
	service := &accountsService{before: func() {}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- natsx.Serve(ctx, conn, accounts.Service, quiet(),
			natsx.NewEndpoint("exists", accounts.SubjectExists, service.exists),
			natsx.NewEndpoint("match", accounts.SubjectMatch, service.match),
			natsx.NewEndpoint("imported", accounts.SubjectImported, service.imported))
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	require.Eventually(t, func() bool {
		_, err := call[accounts.MatchReply](t, conn, accounts.SubjectMatch, accounts.MatchRequest{})
		return err == nil
	}, patience, poll)
	return service
}

// call asks over NATS as another service does.
func call[Reply any](t *testing.T, conn *nats.Conn, subject string, request any) (Reply, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return natsx.Call[Reply](ctx, conn, subject, request)
}

func (a *accountsService) exists(_ context.Context, request accounts.ExistsRequest) (accounts.ExistsReply, error) {
	a.before()
	return accounts.ExistsReply{Exists: true, Active: true, Admin: request.MemberID == boss}, nil
}

func (*accountsService) match(_ context.Context, request accounts.MatchRequest) (accounts.MatchReply, error) {
	reply := accounts.MatchReply{MemberIDs: make([][]uint64, len(request.Terms))}
	for i := range request.Terms {
		reply.MemberIDs[i] = []uint64{bob}
	}
	return reply, nil
}

// imported says that all members of drf-oms are here but number 7.
func (*accountsService) imported(_ context.Context, request accounts.ImportedRequest) (reply accounts.ImportedReply, err error) {
	reply.MemberIDs = slices.DeleteFunc(request.MemberIDs, func(id uint64) bool { return id == 7 })
	return reply, nil
}
